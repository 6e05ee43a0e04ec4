namespace java dev.thriftbreaker.faults.gen

/** The server under test. */
service Front {
  /** Uses no dependency. */
  i64 other(1: i64 number)
  /** Uses the first dependency, and answers without it when that call fails. */
  i64 cope(1: i64 number)
  i64 useFirst(1: i64 number)
  i64 useSecond(1: i64 number)
  i64 useThird(1: i64 number)
}

service Dependency {
  i64 get(1: i64 number)
}
