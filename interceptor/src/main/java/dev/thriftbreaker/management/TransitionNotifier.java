package dev.thriftbreaker.management;

import dev.thriftbreaker.breaker.Transition;
import javax.management.AttributeChangeNotification;
import javax.management.MBeanNotificationInfo;
import javax.management.NotificationBroadcasterSupport;
import javax.management.ObjectName;

/** Turns a breaker's transitions into notifications, on the thread that tells of them. */
final class TransitionNotifier extends NotificationBroadcasterSupport {

  private static final MBeanNotificationInfo INFO =
      new MBeanNotificationInfo(
          new String[] {AttributeChangeNotification.ATTRIBUTE_CHANGE},
          AttributeChangeNotification.class.getName(),
          "Each change of State or Mode, once and in order; the message says why.");

  private final ObjectName source;
  private final WallTime wallTime;

  TransitionNotifier(ObjectName source, WallTime wallTime) {
    super(INFO);
    this.source = source;
    this.wallTime = wallTime;
  }

  void send(Transition transition) {
    boolean state = transition.stateChanged();
    sendNotification(
        new AttributeChangeNotification(
            source,
            transition.sequence(),
            wallTime.millis(transition.atNanos()),
            transition.describe(),
            state ? "State" : "Mode",
            String.class.getName(),
            state ? transition.from().name() : transition.fromMode().name(),
            state ? transition.to().name() : transition.toMode().name()));
  }
}
