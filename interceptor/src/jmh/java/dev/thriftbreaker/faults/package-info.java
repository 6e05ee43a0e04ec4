/**
 * The fault benchmark: the same Thrift server under the same load, once with each circuit breaker,
 * while its dependency hangs, slows, fails and comes back.
 *
 * <p>{@link dev.thriftbreaker.faults.FaultBenchmark} runs {@link
 * dev.thriftbreaker.faults.Scenario}s. Each takes {@link dev.thriftbreaker.faults.Variant}s, and
 * for each of them builds a {@link dev.thriftbreaker.faults.Rig}: the server under test in a JVM of
 * its own, its dependencies and the load in this one. Times of both JVMs are compared by {@code
 * System.nanoTime()}, which on Linux is one clock for all processes.
 */
package dev.thriftbreaker.faults;
