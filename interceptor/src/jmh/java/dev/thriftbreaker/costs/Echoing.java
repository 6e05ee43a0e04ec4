package dev.thriftbreaker.costs;

import dev.thriftbreaker.thrift.gen.Echo;
import dev.thriftbreaker.thrift.gen.Tree;
import java.nio.ByteBuffer;
import org.apache.thrift.TProcessor;

/**
 * A handler that gives back what it is given, so that all the time of a request is that of its way.
 * It extends the client only to have the methods that nobody calls.
 */
final class Echoing extends Echo.Client {

  private Echoing() {
    super(null);
  }

  static TProcessor processor() {
    return new Echo.Processor<>(new Echoing());
  }

  @Override
  public void nothing() {}

  @Override
  public String text(String value) {
    return value;
  }

  @Override
  public Tree tree(Tree value) {
    return value;
  }

  @Override
  public ByteBuffer bytes(ByteBuffer value) {
    return value;
  }
}
