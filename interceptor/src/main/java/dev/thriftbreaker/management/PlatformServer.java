package dev.thriftbreaker.management;

import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The platform's MBean server, made and filled off the caller's thread where nobody can tell. What
 * needs it waits here until it is opened.
 *
 * <p>The JDK makes that server when it is first asked for, which takes longer than all else at the
 * start. As long as nobody asked, nobody can look at MBeans either. So a thread of its own asks,
 * does what is waiting here, and holds the lock of {@link
 * ManagementFactory#getPlatformMBeanServer()} meanwhile: whoever asks for the server gets it with
 * the MBeans in it. They can clash with none, since there are no others. Where an MBean server is
 * there already, everything happens on the caller's thread, when it opens this.
 *
 * <p>That the method is synchronized is the JDK's own affair, if since Java 5. If it were not,
 * MBeans would come a moment after whoever asks so early; a test would tell.
 *
 * <p>Concurrency: this guards what waits. The thread runs no code but this package's and the
 * metrics library's while it holds the JDK's lock.
 */
final class PlatformServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PlatformServer.class);

  private final Deque<Runnable> waiting = new ArrayDeque<>();
  private boolean open;
  private boolean closed;
  private Thread thread;

  /** Whether the thread was the first to ask; written by it before its maker goes on. */
  private boolean first;

  /** Opens it for an MBean server that is there. What is waiting may fail, which this throws. */
  void open(MBeanServer there, Consumer<MBeanServer> onOpen) {
    onOpen.accept(there);
    for (Runnable next = next(); next != null; next = next()) {
      next.run();
    }
  }

  /**
   * Opens it for the platform's. When this returns, whoever asks the JDK for that waits for what is
   * waiting here.
   *
   * @param name for the name of the thread
   * @param onOpen gets the server before anything else is done
   */
  void openPlatform(String name, Consumer<MBeanServer> onOpen) {
    boolean nobodyCanLook = !Thread.holdsLock(ManagementFactory.class) && nobodyAsked();
    if (!nobodyCanLook || !openLater(name, onOpen)) {
      open(ManagementFactory.getPlatformMBeanServer(), onOpen);
    }
  }

  private static boolean nobodyAsked() {
    return MBeanServerFactory.findMBeanServer(null).isEmpty();
  }

  /** False if somebody was faster. */
  private boolean openLater(String name, Consumer<MBeanServer> onOpen) {
    CountDownLatch locked = new CountDownLatch(1);
    thread =
        new Thread(
            () -> {
              synchronized (ManagementFactory.class) {
                first = nobodyAsked();
                locked.countDown();
                if (first) {
                  openNow(onOpen);
                }
              }
            },
            "thrift-breaker-mbeans-" + name);
    thread.setDaemon(true);
    thread.start();
    boolean interrupted = false;
    while (true) {
      try {
        locked.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return first;
  }

  private void openNow(Consumer<MBeanServer> onOpen) {
    Runnable next = () -> onOpen.accept(ManagementFactory.getPlatformMBeanServer());
    while (next != null) {
      try {
        next.run();
      } catch (RuntimeException | Error broken) {
        log.error("MBeans of breakers are missing", broken);
      }
      next = next();
    }
  }

  /** What is done next; when there is nothing, this is open. */
  private synchronized Runnable next() {
    Runnable next = closed ? null : waiting.poll();
    open = next == null;
    return next;
  }

  /** Does something that needs the server: now if it is there, else before anybody sees it. */
  void run(Runnable work) {
    synchronized (this) {
      if (!open) {
        waiting.add(work);
        return;
      }
    }
    work.run();
  }

  /** Drops what is waiting, and waits for what is being done. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    if (thread != null) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
