package dev.thriftbreaker.management;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers MBeans and remembers them, so that closing it takes back those and no others. Its
 * monitor guards the list; MBeans are registered and unregistered outside of the request path.
 */
final class Registrar implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Registrar.class);

  private MBeanServer mbeanServer;
  private final Deque<ObjectName> registered = new ArrayDeque<>();
  private final Set<String> claimed = new HashSet<>();
  private boolean closed;

  /** Before anything is registered. */
  synchronized void open(MBeanServer server) {
    mbeanServer = server;
  }

  /** Says that a name will be registered. Each can be claimed once. */
  synchronized void claim(String name) {
    if (closed) {
      throw new IllegalStateException(name + " cannot be registered: closed");
    }
    if (!claimed.add(name)) {
      throw taken(name);
    }
  }

  /** Registers what was claimed, if it still is. */
  synchronized void register(String name, Supplier<DescribedMBean> mbean) {
    if (closed || !claimed.contains(name)) {
      return;
    }
    ObjectName objectName = ObjectNames.parse(name);
    try {
      mbeanServer.registerMBean(mbean.get(), objectName);
      registered.push(objectName);
    } catch (InstanceAlreadyExistsException e) {
      throw taken(name);
    } catch (JMException e) {
      throw new IllegalStateException(name + " cannot be registered: " + e.getMessage(), e);
    }
  }

  /** Takes back a claim and what was registered. */
  synchronized void unregister(String name) {
    claimed.remove(name);
    ObjectName objectName = ObjectNames.parse(name);
    if (registered.remove(objectName)) {
      takeBack(objectName);
    }
  }

  static IllegalStateException taken(Object name) {
    return new IllegalStateException(
        name
            + " is registered already. Two interceptors in one JVM need different server names,"
            + " and the first one must be closed before another takes its name.");
  }

  @Override
  public synchronized void close() {
    closed = true;
    while (!registered.isEmpty()) {
      takeBack(registered.pop());
    }
  }

  private void takeBack(ObjectName name) {
    try {
      mbeanServer.unregisterMBean(name);
    } catch (InstanceNotFoundException e) {
      log.debug("{} was unregistered by somebody else", name);
    } catch (JMException | RuntimeException e) {
      log.warn("{} cannot be unregistered", name, e);
    }
  }
}
