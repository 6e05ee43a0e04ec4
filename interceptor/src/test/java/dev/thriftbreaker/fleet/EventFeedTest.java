package dev.thriftbreaker.fleet;

import static org.awaitility.Awaitility.await;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class EventFeedTest {

  @Test
  void aWishToRetryThatComesDuringAFailingConnectIsNotForgotten() throws InterruptedException {
    AtomicInteger tries = new AtomicInteger();
    AtomicReference<EventFeed> self = new AtomicReference<>();
    StateStore store =
        (StateStore)
            Proxy.newProxyInstance(
                StateStore.class.getClassLoader(),
                new Class<?>[] {StateStore.class},
                (proxy, method, arguments) -> {
                  if (tries.getAndIncrement() == 0) {
                    self.get().retryNow();
                  }
                  throw new StoreException(StoreException.Kind.DENIED, "not yet", null);
                });
    LinkHealth health = new LinkHealth(System::nanoTime, System::currentTimeMillis);
    Alarms alarms = new Alarms();
    SyncWorker worker = new SyncWorker(store, "shop", "a", health, alarms, () -> {});
    EventFeed feed = new EventFeed(store, "shop", worker, health, alarms);
    self.set(feed);
    Thread thread = new Thread(feed, "feed-under-test");
    thread.start();

    try {
      // the next regular try is 5 s away at least
      await().atMost(Duration.ofSeconds(4)).until(() -> tries.get() == 2);
    } finally {
      feed.stop();
      thread.join(5_000);
    }
  }
}
