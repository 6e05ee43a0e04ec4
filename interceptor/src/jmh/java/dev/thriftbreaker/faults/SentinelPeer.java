package dev.thriftbreaker.faults;

import com.alibaba.csp.sentinel.Entry;
import com.alibaba.csp.sentinel.SphU;
import com.alibaba.csp.sentinel.Tracer;
import com.alibaba.csp.sentinel.slots.block.BlockException;
import com.alibaba.csp.sentinel.slots.block.RuleConstant;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRule;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRuleManager;
import com.alibaba.csp.sentinel.slots.block.degrade.circuitbreaker.CircuitBreaker;
import com.alibaba.csp.sentinel.slots.block.degrade.circuitbreaker.EventObserverRegistry;
import com.alibaba.csp.sentinel.slots.block.flow.FlowRule;
import com.alibaba.csp.sentinel.slots.block.flow.FlowRuleManager;
import dev.thriftbreaker.faults.gen.Dependency;
import java.util.ArrayList;
import java.util.List;
import org.apache.thrift.TException;

/** Sentinel: degrade rules on the ratio of exceptions and of slow calls, and a limit of threads. */
final class SentinelPeer {

  private SentinelPeer() {}

  static Guarding degrade(Site site) {
    List<DegradeRule> rules = new ArrayList<>();
    for (int i = 0; i < site.dependencies(); i++) {
      String dependency = ServerUnderTest.dependencyName(i);
      rules.add(rule(dependency, RuleConstant.DEGRADE_GRADE_EXCEPTION_RATIO).setCount(0.5));
      rules.add(
          rule(dependency, RuleConstant.DEGRADE_GRADE_RT)
              .setCount(Variant.SLOW.toMillis())
              .setSlowRatioThreshold(0.8));
    }
    DegradeRuleManager.loadRules(rules);
    EventObserverRegistry.getInstance()
        .addStateChangeObserver(
            "trips",
            (from, to, rule, value) -> {
              if (to == CircuitBreaker.State.OPEN) {
                site.trips().add(rule.getResource());
              }
            });
    return SentinelPeer::guard;
  }

  static Guarding full(Site site, int cap) {
    List<FlowRule> rules = new ArrayList<>();
    for (int i = 0; i < site.dependencies(); i++) {
      FlowRule rule = new FlowRule(ServerUnderTest.dependencyName(i));
      rule.setGrade(RuleConstant.FLOW_GRADE_THREAD);
      rule.setCount(cap);
      rules.add(rule);
    }
    FlowRuleManager.loadRules(rules);
    return degrade(site);
  }

  private static DegradeRule rule(String dependency, int grade) {
    return new DegradeRule(dependency)
        .setGrade(grade)
        .setMinRequestAmount(20)
        .setStatIntervalMs(10_000)
        .setTimeWindow((int) Variant.OPEN.toSeconds());
  }

  private static Dependency.Iface guard(String dependency, Dependency.Iface client) {
    return number -> {
      Entry entry;
      try {
        entry = SphU.entry(dependency);
      } catch (BlockException e) {
        throw new ShedException();
      }
      try {
        return client.get(number);
      } catch (TException | RuntimeException e) {
        Tracer.traceEntry(e, entry);
        throw e;
      } finally {
        entry.exit();
      }
    };
  }
}
