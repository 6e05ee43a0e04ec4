package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Dependency;
import org.apache.thrift.TProcessor;

/** What a library does for a handler: it guards the calls to a dependency. */
interface Guarding {

  /** Refuses a call by throwing an exception of type {@code SHED}. */
  Dependency.Iface guard(String dependency, Dependency.Iface client);

  /** Guards clients of this dependency: the benchmark's, unless the library brings its own. */
  default Dependency.Iface guard(String dependency, Endpoint endpoint) {
    return guard(dependency, endpoint.client());
  }

  default TProcessor wrap(TProcessor processor) {
    return processor;
  }
}
