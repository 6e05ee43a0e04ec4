/* What the generated code of every type does with bytes; after Apache Thrift's ThriftTest.thrift. */
namespace java dev.thriftbreaker.thrift.gen

typedef i64 UserId

enum Numeral {
  ONE = 1
  TWO = 2
  EIGHT = 8
}

struct Leaf {
  1: string text
  2: i8 small
  3: i32 whole
  4: i64 large
}

struct Tree {
  1: i8 small
  2: Leaf leaf
  3: i32 whole
  4: list<Tree> branches
}

struct Mix {
  1: map<Numeral, UserId> users
  2: list<Leaf> leaves
  3: optional uuid id
  4: optional binary bytes
}

exception Refused {
  1: i32 code
  2: string why
}

exception Broken {
  1: i32 code
  2: Leaf leaf
}

/** Returns what it is given. */
service Echo {
  void nothing()
  string text(1: string value)
  bool flag(1: bool value)
  i8 small(1: i8 value)
  i16 medium(1: i16 value)
  i32 whole(1: i32 value)
  i64 large(1: i64 value)
  double real(1: double value)
  binary bytes(1: binary value)
  uuid id(1: uuid value)
  Leaf leaf(1: Leaf value)
  Tree tree(1: Tree value)
  map<i32, i32> numbers(1: map<i32, i32> value)
  map<string, string> texts(1: map<string, string> value)
  set<i32> few(1: set<i32> value)
  list<i32> many(1: list<i32> value)
  Numeral numeral(1: Numeral value)
  UserId user(1: UserId value)
  map<i32, map<i32, i32>> nested(1: i32 size)
  map<UserId, map<Numeral, Mix>> mixed(1: Mix value)
  Leaf several(1: i8 small, 2: i32 whole, 3: i64 large, 4: map<i16, string> texts, 5: Numeral numeral, 6: UserId user)
  /** Ends as told. */
  void fail(1: string how) throws (1: Refused refused)
  Leaf failOrNot(1: string how, 2: string text) throws (1: Refused refused, 2: Broken broken)
  /** Cannot do without the dependency. */
  binary need(1: binary value)
  oneway void send(1: string text)
  oneway void sendNeeding(1: string text)
  oneway void sendFailing(1: string how)
}
