// The shop: the service under protection and the three services it depends on.

namespace java dev.thriftbreaker.demo.shop

struct Item {
  1: string sku
  2: i32 quantity
}

struct Order {
  1: string id
  2: string customer
  3: list<Item> items
}

struct Receipt {
  1: string orderId
  2: i64 totalCents
  3: string paymentId
}

exception OutOfStock {
  1: string sku
}

service Checkout {
  /** Needs inventory and payments, and writes to the orders database. */
  Receipt placeOrder(1: Order order) throws (1: OutOfStock outOfStock)

  /** Needs inventory. Answers with the total in cents. */
  i64 quote(1: list<Item> items)

  /** Uses recommendations, and copes without. */
  list<string> recommend(1: string customer)

  /** Needs nothing. */
  string ping()

  oneway void recordView(1: string customer, 2: string sku)
}

service Inventory {
  /** The total in cents. */
  i64 price(1: list<Item> items)

  /** Sets the items aside and answers with their total in cents. */
  i64 reserve(1: string orderId, 2: list<Item> items) throws (1: OutOfStock outOfStock)

  /** Puts back what was set aside. */
  void release(1: string orderId)
}

service Payments {
  /** Answers with the id of the payment. */
  string charge(1: string orderId, 2: string customer, 3: i64 cents)
}

service Recommendations {
  list<string> forCustomer(1: string customer)
}
