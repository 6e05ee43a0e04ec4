package dev.thriftbreaker.fleet;

/** Where the fleet keeps its state. */
public interface StateStore extends AutoCloseable {

  /**
   * Where the store is.
   *
   * @return the address without credentials
   */
  String address();

  @Override
  void close();
}
