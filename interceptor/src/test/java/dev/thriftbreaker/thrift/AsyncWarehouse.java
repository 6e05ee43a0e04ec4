package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.Receipt;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;

/** The test service on callbacks; it answers as the synchronous one, on an executor. */
class AsyncWarehouse implements Warehouse.AsyncIface {

  private final WarehouseHandler handler;
  private final Executor executor;

  AsyncWarehouse(WarehouseHandler handler, Executor executor) {
    this.handler = handler;
    this.executor = executor;
  }

  private <T> void answer(AsyncMethodCallback<T> callback, Callable<T> body) {
    executor.execute(
        () -> {
          T result;
          try {
            result = body.call();
          } catch (Exception e) {
            callback.onError(e);
            return;
          }
          callback.onComplete(result);
        });
  }

  @Override
  public void place(Order order, AsyncMethodCallback<Receipt> callback) throws TException {
    answer(callback, () -> handler.place(order));
  }

  @Override
  public void count(List<Item> items, AsyncMethodCallback<Long> callback) throws TException {
    answer(callback, () -> handler.count(items));
  }

  @Override
  public void crash(String message, AsyncMethodCallback<String> callback) throws TException {
    answer(callback, () -> handler.crash(message));
  }

  @Override
  public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback)
      throws TException {
    answer(callback, () -> handler.reserve(sku, quantity));
  }

  @Override
  public void touch(String sku, AsyncMethodCallback<Void> callback) throws TException {
    answer(
        callback,
        () -> {
          handler.touch(sku);
          return null;
        });
  }

  @Override
  public void note(String text, AsyncMethodCallback<Void> callback) throws TException {
    answer(
        callback,
        () -> {
          handler.note(text);
          return null;
        });
  }

  @Override
  public void noteFailing(String text, AsyncMethodCallback<Void> callback) throws TException {
    answer(
        callback,
        () -> {
          handler.noteFailing(text);
          return null;
        });
  }
}
