package dev.thriftbreaker.costs;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** With how many threads a class of benchmarks runs, one after the other; without it with one. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface ThreadCounts {
  int[] value();
}
