package dev.thriftbreaker.demo.checkout;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.demo.shop.Checkout;
import dev.thriftbreaker.demo.shop.Inventory;
import dev.thriftbreaker.demo.shop.Item;
import dev.thriftbreaker.demo.shop.Order;
import dev.thriftbreaker.demo.shop.Payments;
import dev.thriftbreaker.demo.shop.Receipt;
import dev.thriftbreaker.demo.shop.Recommendations;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;

/**
 * The shop. Knows that its dependencies are guarded only where it makes a call that is no Thrift.
 */
final class CheckoutHandler implements Checkout.Iface {

  private static final List<String> BESTSELLERS = List.of("teapot", "kettle", "whisk");

  private final Inventory.Iface inventory;
  private final Payments.Iface payments;
  private final Recommendations.Iface recommendations;
  private final OrdersTable orders;
  private final ThriftInterceptor interceptor;
  private final LongAdder views = new LongAdder();

  CheckoutHandler(
      Inventory.Iface inventory,
      Payments.Iface payments,
      Recommendations.Iface recommendations,
      OrdersTable orders,
      ThriftInterceptor interceptor) {
    this.inventory = inventory;
    this.payments = payments;
    this.recommendations = recommendations;
    this.orders = orders;
    this.interceptor = interceptor;
  }

  @Override
  public Receipt placeOrder(Order order) throws TException {
    long cents = inventory.reserve(order.getId(), order.getItems());
    try {
      String payment = payments.charge(order.getId(), order.getCustomer(), cents);
      save(order, cents, payment);
      return new Receipt(order.getId(), cents, payment);
    } catch (TException e) {
      release(order);
      throw e;
    }
  }

  private void save(Order order, long cents, String payment) throws TException {
    try {
      interceptor.call(
          "orders-db", () -> orders.insert(order.getId(), order.getCustomer(), cents, payment));
    } catch (TException e) {
      throw e;
    } catch (Exception e) {
      throw new TApplicationException(
          TApplicationException.INTERNAL_ERROR, "the order could not be saved");
    }
  }

  private void release(Order order) {
    try {
      inventory.release(order.getId());
    } catch (TException e) {
      // inventory frees what is not paid for by itself, later
    }
  }

  @Override
  public long quote(List<Item> items) throws TException {
    return inventory.price(items);
  }

  @Override
  public List<String> recommend(String customer) {
    try {
      return recommendations.forCustomer(customer);
    } catch (TException e) {
      return BESTSELLERS;
    }
  }

  @Override
  public String ping() {
    return "pong";
  }

  @Override
  public void recordView(String customer, String sku) {
    views.increment();
  }
}
