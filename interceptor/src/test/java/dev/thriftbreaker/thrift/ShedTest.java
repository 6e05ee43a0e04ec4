package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.Refusal;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShedTest {

  private static final String TOKEN =
      "SHED dependency=orders-db.v2 state=HALF_OPEN retryAfterMs=42";
  private static final Shed SHED = new Shed("orders-db.v2", "HALF_OPEN", Duration.ofMillis(42));

  @Test
  void readsWhatTheServerWrites() {
    BreakerOpenException thrown =
        new BreakerOpenException(new Refusal("orders-db.v2", "HALF_OPEN", 41_000_001L));

    assertThat(Shed.of(thrown)).contains(SHED);
    assertThat(Shed.of(new TApplicationException(thrown.getType(), thrown.getMessage())))
        .contains(SHED);
  }

  @Test
  void needsNoTypeWhereOnlyTheMessageSurvived() {
    assertThat(Shed.of(new TApplicationException(99, TOKEN))).contains(SHED);
    assertThat(Shed.of(new IllegalStateException(TOKEN))).contains(SHED);
  }

  @Test
  void toleratesWhatALaterVersionAdds() {
    assertThat(Shed.of(new TException(TOKEN + " method=place"))).contains(SHED);
  }

  @Test
  void findsAShedAmongCausesUpToABound() {
    assertThat(Shed.of(new ExecutionException("failed", new TException(TOKEN)))).contains(SHED);
    Throwable deep = new TException(TOKEN);
    for (int i = 0; i < 15; i++) {
      deep = new RuntimeException("wrapper", deep);
    }
    assertThat(Shed.of(deep)).contains(SHED);
    assertThat(Shed.of(new RuntimeException("one too many", deep))).isEmpty();
  }

  @Test
  void endsWhereCausesAreARing() {
    Exception one = new Exception("one");
    Exception other = new Exception("other", one);
    one.initCause(other);

    assertThat(Shed.of(one)).isEmpty();
    assertThat(Shed.of(null)).isEmpty();
  }

  @Test
  void believesNoMoreThanADay() {
    String message = "SHED dependency=a state=OPEN retryAfterMs=999999999999999999";

    assertThat(Shed.of(new TException(message)))
        .contains(new Shed("a", "OPEN", Duration.ofDays(1)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "SHED",
        "SHED dependency=",
        "SHED dependency=a state=OPEN",
        "SHED dependency=a state=OPEN retryAfterMs=",
        "SHED dependency=a state=OPEN retryAfterMs=-1",
        "SHED dependency=a state=OPEN retryAfterMs=1e9",
        "SHED dependency=a state=OPEN retryAfterMs=soon",
        "SHED dependency=a state=OPEN retryAfterMs=12ms",
        "SHED dependency=a state=OPEN retryAfterMs=9999999999999999999999",
        "SHED dependency=a state=OPEN retryAfterMs=1\n",
        "SHED dependency=a state=open retryAfterMs=1",
        "SHED dependency= state=OPEN retryAfterMs=1",
        "SHED dependency=a b state=OPEN retryAfterMs=1",
        "SHED  dependency=a state=OPEN retryAfterMs=1",
        "shed dependency=a state=OPEN retryAfterMs=1",
        " SHED dependency=a state=OPEN retryAfterMs=1",
        "SHED dependency=SHED dependency=a state=OPEN retryAfterMs=1",
        "no such sku: SHED dependency=a state=OPEN retryAfterMs=1"
      })
  void takesADamagedOrForgedTokenForNone(String message) {
    assertThat(Shed.of(new TApplicationException(11, message))).isEmpty();
  }

  @Test
  void readsAHugeMessageNoFurtherThanNeeded() {
    String huge = "x".repeat(20_000_000);

    assertThat(Shed.of(new TException("SHED dependency=" + huge))).isEmpty();
    assertThat(Shed.of(new TException(TOKEN + " " + huge))).contains(SHED);
    assertThat(Shed.of(new TException(TOKEN + huge.replace('x', '1')))).isEmpty();
  }
}
