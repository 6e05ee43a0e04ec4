package dev.thriftbreaker.demo.downstream;

import dev.thriftbreaker.demo.shop.Inventory;
import dev.thriftbreaker.demo.shop.Item;
import dev.thriftbreaker.demo.shop.OutOfStock;
import dev.thriftbreaker.demo.shop.Payments;
import dev.thriftbreaker.demo.shop.Recommendations;
import java.util.List;
import org.apache.thrift.TProcessor;

/** What the three downstream services do when they are well. */
final class Services {

  private Services() {}

  static TProcessor named(String name, FaultSwitch faults) {
    return switch (name) {
      case "inventory" ->
          new Inventory.Processor<>(faults.inFrontOf(Inventory.Iface.class, new Stock()));
      case "payments" ->
          new Payments.Processor<>(
              faults.inFrontOf(
                  Payments.Iface.class, (orderId, customer, cents) -> "pay-" + orderId));
      case "recommendations" ->
          new Recommendations.Processor<>(
              faults.inFrontOf(
                  Recommendations.Iface.class,
                  customer -> List.of("teapot", "kettle", "for-" + customer)));
      default -> throw new IllegalArgumentException("no such service: " + name);
    };
  }

  /** Sells everything but unicorns. */
  private static final class Stock implements Inventory.Iface {

    @Override
    public long price(List<Item> items) {
      long cents = 0;
      for (Item item : items) {
        cents += item.getQuantity() * (100L + Math.floorMod(item.getSku().hashCode(), 900));
      }
      return cents;
    }

    @Override
    public long reserve(String orderId, List<Item> items) throws OutOfStock {
      for (Item item : items) {
        if (item.getSku().equals("unicorn")) {
          throw new OutOfStock(item.getSku());
        }
      }
      return price(items);
    }

    @Override
    public void release(String orderId) {}
  }
}
