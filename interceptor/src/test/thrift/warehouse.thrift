namespace java dev.thriftbreaker.thrift.gen

enum Grade {
  NEW = 1
  USED = 2
}

struct Item {
  1: string sku
  2: i32 quantity
  3: double weightKilograms
  4: bool fragile
  5: Grade grade
  6: optional binary label
}

struct Order {
  1: string id
  2: i64 placedMillis
  3: list<Item> items
  4: map<string, i32> options
  5: set<i16> codes
  6: i8 priority
}

struct Receipt {
  1: string orderId
  2: i64 totalCents
  3: list<string> lines
}

exception OutOfStock {
  1: string sku
  2: i32 left
}

exception NotFound {
  1: string id
}

service Warehouse {
  /** A normal call; an item of quantity 0 throws the declared exception. */
  Receipt place(1: Order order) throws (1: OutOfStock outOfStock, 2: NotFound notFound)
  /** An i64 result. */
  i64 count(1: list<Item> items)
  /** Throws a RuntimeException. */
  string crash(1: string message)
  /** Uses the guarded dependency. */
  i32 reserve(1: string sku, 2: i32 quantity) throws (1: OutOfStock outOfStock)
  void touch(1: string sku)
  oneway void note(1: string text)
  /** Throws what the text names. */
  oneway void noteFailing(1: string text)
}

service Ledger {
  i64 count(1: string account)
  string book(1: string account, 2: i64 cents) throws (1: NotFound notFound)
  oneway void note(1: string text)
}

/** The downstream service. */
service Stock {
  i32 reserve(1: string sku, 2: i32 quantity) throws (1: OutOfStock outOfStock)
  i64 ping(1: i64 number)
  void touch()
}
