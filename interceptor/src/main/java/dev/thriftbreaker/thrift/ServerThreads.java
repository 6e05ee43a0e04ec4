package dev.thriftbreaker.thrift;

import java.util.Set;

/** What the stack of a thread that serves a request tells of its server. */
final class ServerThreads {

  /** What runs on the threads of servers that have a fixed number of them. */
  private static final Set<String> FIXED =
      Set.of(
          "org.apache.thrift.server.Invocation", // THsHaServer and TThreadedSelectorServer
          "org.apache.thrift.server.AbstractNonblockingServer$AbstractSelectThread",
          "org.apache.thrift.server.TSaslNonblockingServer",
          "org.apache.thrift.server.TSimpleServer");

  private static final String LIBTHRIFT = "org.apache.thrift.server.";

  private ServerThreads() {}

  /**
   * Whether the current thread is one of a number that is fixed, as libthrift's own servers have
   * them that are not TThreadPoolServer.
   */
  static boolean isOfAFixedPool() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames
                    .map(StackWalker.StackFrame::getClassName)
                    .filter(name -> name.startsWith(LIBTHRIFT))
                    .anyMatch(name -> FIXED.stream().anyMatch(name::startsWith)));
  }
}
