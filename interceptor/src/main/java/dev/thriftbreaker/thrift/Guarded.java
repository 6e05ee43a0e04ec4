package dev.thriftbreaker.thrift;

/** What the guards of all interfaces have in common; {@link GuardClass} writes the rest. */
abstract class Guarded {

  final Gate gate;
  final Object client;

  /** Or null. */
  final Object fallback;

  Guarded(Gate gate, Object client, Object fallback) {
    this.gate = gate;
    this.client = client;
    this.fallback = fallback;
  }

  @Override
  public final String toString() {
    return client + " guarded by breaker " + gate.breakerName();
  }
}
