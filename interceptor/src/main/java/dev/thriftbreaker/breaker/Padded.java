package dev.thriftbreaker.breaker;

/**
 * Puts two cache lines before the fields of a subclass, so that what one thread writes there is
 * away from what others write in the object before it. (The JVM lays out a superclass's fields
 * first.)
 */
@SuppressWarnings("unused") // only their space is of use
abstract class Padded {
  private long p00;
  private long p01;
  private long p02;
  private long p03;
  private long p04;
  private long p05;
  private long p06;
  private long p07;
  private long p08;
  private long p09;
  private long p10;
  private long p11;
  private long p12;
  private long p13;
  private long p14;
}
