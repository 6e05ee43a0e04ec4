package dev.thriftbreaker.costs;

/**
 * One figure of one run.
 *
 * @param name what was measured: {@code group.contender}, such as {@code success.ours}
 * @param threads how many threads did it at once
 * @param value the figure
 * @param unit its unit, such as {@code ns/op}
 */
record Score(String name, int threads, double value, String unit) {}
