package dev.thriftbreaker.management;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.security.Principal;
import java.util.Set;
import javax.management.remote.JMXPrincipal;
import javax.security.auth.Subject;

/**
 * Who calls an operation: the user that the remote connector authenticated, or else the user of the
 * operating system, since a local attach names nobody and is open to that user only.
 */
final class Operator {

  private static final int LONGEST = 64;
  private static final Method CURRENT = currentOrNull();

  private Operator() {}

  static String current() {
    String name = nameOf(subject());
    if (name == null || name.isBlank()) {
      name = System.getProperty("user.name", "unknown");
    }
    String shown = Input.printable(name);
    return shown.length() > LONGEST ? shown.substring(0, LONGEST) : shown;
  }

  private static String nameOf(Subject subject) {
    if (subject == null) {
      return null;
    }
    Set<JMXPrincipal> users = subject.getPrincipals(JMXPrincipal.class);
    Set<? extends Principal> named = users.isEmpty() ? subject.getPrincipals() : users;
    return named.isEmpty() ? null : named.iterator().next().getName();
  }

  @SuppressWarnings("removal") // the only way before Java 18
  private static Subject subject() {
    if (CURRENT == null) {
      return Subject.getSubject(java.security.AccessController.getContext());
    }
    try {
      return (Subject) CURRENT.invoke(null);
    } catch (IllegalAccessException | InvocationTargetException e) {
      return null;
    }
  }

  /** {@code Subject.current()}, which came with Java 18. */
  private static Method currentOrNull() {
    try {
      return Subject.class.getMethod("current");
    } catch (NoSuchMethodException e) {
      return null;
    }
  }
}
