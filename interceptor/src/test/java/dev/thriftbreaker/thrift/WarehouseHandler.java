package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Receipt;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.thrift.TException;

/** The test service; its answers depend on its arguments only. */
final class WarehouseHandler implements Warehouse.Iface {

  final BlockingQueue<String> notes = new LinkedBlockingQueue<>();
  private final Stock.Iface stock;

  WarehouseHandler(Stock.Iface stock) {
    this.stock = stock;
  }

  @Override
  public Receipt place(Order order) throws OutOfStock {
    long total = 0;
    for (Item item : order.getItems()) {
      if (item.getQuantity() == 0) {
        throw new OutOfStock(item.getSku(), 0);
      }
      total += Math.round(100 * item.getWeightKilograms()) * item.getQuantity();
    }
    return new Receipt(order.getId(), total, order.getItems().stream().map(Item::getSku).toList());
  }

  @Override
  public long count(List<Item> items) {
    return items.stream().mapToLong(Item::getQuantity).sum();
  }

  @Override
  public String crash(String message) {
    throw new IllegalStateException(message);
  }

  @Override
  public int reserve(String sku, int quantity) throws TException {
    return stock.reserve(sku, quantity);
  }

  @Override
  public void touch(String sku) throws TException {
    stock.touch();
  }

  @Override
  public void note(String text) {
    notes.add(text);
  }

  @Override
  public void noteFailing(String text) throws TException {
    notes.add(text);
    if (text.equals("crash")) {
      throw new IllegalStateException(text);
    }
    stock.touch();
  }
}
