package dev.thriftbreaker.faults;

import dev.thriftbreaker.thrift.BreakerOpenException;
import org.apache.thrift.TApplicationException;

/** What a handler throws where a peer's breaker refused: the caller sees it as it sees ours. */
final class ShedException extends TApplicationException {

  private static final long serialVersionUID = 1L;

  ShedException() {
    super(BreakerOpenException.SHED, "SHED");
  }

  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
