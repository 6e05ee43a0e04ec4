package dev.thriftbreaker.management;

/**
 * The numbers of a dependency's pool of clients.
 *
 * @param active connections that serve a call now
 * @param idle connections that wait for a call
 * @param opened connections opened since the start
 * @param discarded connections closed since the start because they were broken, stale or too slow
 * @param timeouts calls that did not end within the callTimeout
 * @param unserved calls that got no connection
 */
public record PoolNumbers(
    long active, long idle, long opened, long discarded, long timeouts, long unserved) {}
