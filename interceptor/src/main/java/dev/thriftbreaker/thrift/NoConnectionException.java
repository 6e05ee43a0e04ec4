package dev.thriftbreaker.thrift;

import org.apache.thrift.transport.TTransportException;

/**
 * A call that was not made, because it got no connection from the pool of its dependency: all were
 * in use, the wait for one was interrupted, or the pool is closed. Nothing was sent.
 *
 * <p>It says nothing about the dependency, so by default a breaker ignores it: the calls that hold
 * the connections are judged by themselves.
 */
public final class NoConnectionException extends TTransportException {

  private static final long serialVersionUID = 1L;

  NoConnectionException(String message, Throwable cause) {
    super(NOT_OPEN, message, cause);
  }
}
