// What the demo itself needs to be steered and seen. No shop would have this.

namespace java dev.thriftbreaker.demo.control

enum FaultKind {
  NONE = 0
  /** A share of the calls fails with an internal error. */
  ERRORS = 1
  /** Each call takes longer. */
  SLOW = 2
  /** Calls are read and never answered. */
  HANG = 3
  /** Connections are refused. */
  DOWN = 4
}

/** In each downstream process, on a port of its own. */
service Faults {
  /** amount: the share of failing calls for ERRORS, milliseconds for SLOW, else unused. */
  void inject(1: FaultKind kind, 2: double amount)
}

struct BreakerView {
  1: string name
  2: string state
  3: string mode
  /** How long until an open breaker probes; else 0. */
  4: i64 remainingMillis
  5: i64 opened
  6: i64 refused
  /** Why it is in this state. */
  7: string reason
}

/** In the checkout process, on a port of its own. */
service Control {
  list<BreakerView> breakers()
}
