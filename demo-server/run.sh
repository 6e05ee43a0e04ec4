#!/usr/bin/env bash
# The demo: see run.sh --help. Builds what is not built yet, then becomes the demo's JVM.
set -eu

home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$home")
built=$home/target/.built-for-run

fail() {
  echo "run.sh: $1" >&2
  exit 1
}

usage() {
  cat <<'TEXT'
run.sh [--redis URI]   the whole story in one terminal, in under two minutes
run.sh serve           the shop, its downstream services and Redis, until Ctrl-C
       [--port 9090] [--server threadpool|hsha|threadedselector] [--transport framed|buffered]
       [--protocol binary|compact|json] [--redis URI] [--jmx-port N]
run.sh load            customers for a running shop, a line a second
       [--port 9090] [--seconds 30] [--concurrency 8] [--rate 300, 0 for all they can]
       [--transport framed|buffered] [--protocol binary|compact|json]
run.sh fault SERVICE errors SHARE | slow MILLISECONDS | hang | down | heal
       [--port 9090]   SERVICE: inventory, payments or recommendations of a running demo

Redis: --redis, else a redis-server on the PATH, else an embedded one, else state in memory.
Only 127.0.0.1 is bound. Exit status: 0 done, 1 could not or went wrong, 2 bad usage.
DEMO_JAVA_OPTS: options for the JVM.
TEXT
}

find_java() {
  if [ -n "${JAVA_HOME:-}" ]; then
    java=$JAVA_HOME/bin/java
    [ -x "$java" ] || fail "JAVA_HOME: $JAVA_HOME has no bin/java (expected: a JDK, 17 or newer)"
  else
    java=$(command -v java) || fail "no java on the PATH and no JAVA_HOME (expected: a JDK, 17 or newer)"
  fi
  local version
  version=$("$java" -version 2>&1) || fail "$java does not run: ${version%%$'\n'*}"
  [[ $version =~ version\ \"([0-9]+) ]] || fail "$java: cannot tell its version (expected: 17 or newer)"
  [ "${BASH_REMATCH[1]}" -ge 17 ] || fail "$java is Java ${BASH_REMATCH[1]} (expected: 17 or newer)"
}

is_built() {
  [ -f "$built" ] && [ -d "$home/target/classes" ] && [ -d "$home/target/lib" ] || return 1
  [ -z "$(find "$root/pom.xml" "$root/interceptor/pom.xml" "$home/pom.xml" \
    "$root/interceptor/src/main" "$home/src/main" -newer "$built" -print -quit)" ]
}

build() {
  command -v mvn >/dev/null || fail "no mvn on the PATH (expected: Maven 3.8 or newer, to build once)"
  echo "Building once (mvn package, no tests) ..." >&2
  local log started
  mkdir -p "$home/target"
  log=$home/target/build-for-run.log
  started=$(mktemp "$home/target/.build-started.XXXXXX")
  if ! (cd "$root" && mvn -q -B -Dstyle.color=never package -pl interceptor,demo-server \
    -DskipTests -Dmaven.javadoc.skip=true -Dmaven.source.skip=true >"$log" 2>&1 </dev/null); then
    rm -f "$started"
    tail -n 20 "$log" >&2
    fail "the build failed; all of its output is in $log"
  fi
  mv -f "$started" "$built" # as old as the build's beginning: what changed since is newer
}

for argument in "$@"; do
  case $argument in -h | --help) usage; exit 0 ;; esac
done

find_java
if [ -n "${DEMO_CLASSPATH:-}" ]; then # built by somebody else, such as the tests
  classpath=$DEMO_CLASSPATH
else
  is_built || build
  classpath="$home/target/classes:$home/target/lib/*"
fi

terminal=false
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then terminal=true; fi

# shellcheck disable=SC2086 # DEMO_JAVA_OPTS is several words
exec "$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m -Ddemo.home="$home" -Ddemo.terminal=$terminal \
  ${DEMO_JAVA_OPTS:-} -cp "$classpath" dev.thriftbreaker.demo.Demo "$@"
