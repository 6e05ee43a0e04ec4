package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.thrift.Requirement.Source;
import dev.thriftbreaker.thrift.Requirement.Word;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** One method's requirements, on one thread, with breakers whose time is set and lots drawn. */
class RequirementsTest {

  private long now = -5_000_000_000L;
  private boolean drawn;
  private boolean sampled;
  private final CircuitBreaker stock = breaker("stock");
  private final CircuitBreaker bank = breaker("bank");
  private final CircuitBreaker mail = breaker("mail");
  private final Uses uses = new Uses(null);
  private final Requirements requirements = learning();

  private CircuitBreaker breaker(String name) {
    BreakerConfig config =
        BreakerConfig.builder()
            .probes(1)
            .earlyProbeInterval(Duration.ZERO)
            .rampInterval(Duration.ZERO)
            .build();
    return new CircuitBreaker(name, config, () -> now, () -> 0.5, () -> {});
  }

  private Requirements learning() {
    return new Requirements(
        List.of(),
        downstreams(bank, mail, stock),
        true,
        bound -> (bound == Requirements.SAMPLE ? sampled : drawn) ? 0 : 1);
  }

  private static List<Downstream> downstreams(CircuitBreaker... breakers) {
    return Arrays.stream(breakers).map(Downstream::new).toList();
  }

  private static void open(CircuitBreaker breaker) {
    Duration minute = Duration.ofSeconds(60);
    breaker.apply(breaker.snapshot().sequence(), BreakerState.OPEN, minute, 1, "test", "test");
  }

  private static void halfOpen(CircuitBreaker breaker) {
    Duration none = Duration.ZERO;
    breaker.apply(breaker.snapshot().sequence(), BreakerState.HALF_OPEN, none, 1, "test", "test");
  }

  private interface Handler {
    boolean answers();
  }

  /** A guarded call; true if it was let pass. */
  private boolean call(CircuitBreaker breaker) {
    uses.use(breaker);
    long place = uses.takePlace(breaker);
    boolean refused = place == CircuitBreaker.NO_PLACE_NEEDED && breaker.refuses(now);
    breaker.giveBack(place);
    if (refused) {
      uses.refuse(breaker);
    }
    return !refused;
  }

  /** Whether the request reached the handler. */
  private boolean request(Handler handler) {
    if (uses.begin(requirements, now) != null) {
      return false;
    }
    uses.end(handler.answers());
    return true;
  }

  private int requests(int count, Handler handler) {
    int served = 0;
    for (int i = 0; i < count; i++) {
      served += request(handler) ? 1 : 0;
    }
    return served;
  }

  private Requirement about(CircuitBreaker breaker) {
    return requirements.all().stream()
        .filter(requirement -> requirement.dependency().equals(breaker.name()))
        .findFirst()
        .orElseThrow();
  }

  // ---- what is learned

  @Test
  void learnsANeedFromTheFirstRefusalsAndShedsFromThereOn() {
    // given
    requests(20, () -> call(stock));
    assertThat(requirements.inForce()).isEmpty();
    open(stock);

    // when / then
    assertThat(requests(50, () -> call(stock))).isEqualTo(NeedEvidence.REFUSALS_TO_LEARN);
    assertThat(requirements.inForce()).containsExactly("stock");
    assertThat(about(stock))
        .isEqualTo(new Requirement("stock", true, Source.LEARNED, 30, 30, 10, 10));

    // and what was learned is known at the next trip
    stock.reset("test", "test");
    assertThat(requests(50, () -> call(stock))).isEqualTo(50);
    open(stock);
    assertThat(requests(50, () -> call(stock))).isZero();
  }

  @Test
  void learnsInAServerThatStartedWithADependencyDown() {
    open(stock);

    assertThat(requests(50, () -> call(stock))).isEqualTo(NeedEvidence.REFUSALS_TO_LEARN);
  }

  @Test
  void neverShedsAMethodThatCopes() {
    open(stock);

    assertThat(requests(5_000, () -> call(stock) || true)).isEqualTo(5_000);

    assertThat(requirements.inForce()).isEmpty();
    assertThat(about(stock).failures()).isZero();
    assertThat(about(stock).refusals()).isPositive();
  }

  @Test
  void neverShedsAMethodThatSeldomUsesTheDependency() {
    int[] number = new int[1];
    open(bank);

    assertThat(requests(5_000, () -> ++number[0] % 5 > 0 || call(bank))).isEqualTo(5_000);

    assertThat(requirements.inForce()).isEmpty();
    assertThat(about(bank).failures()).isEqualTo(about(bank).refusals()).isPositive();
    assertThat(about(bank).uses()).isLessThan(about(bank).requests() / 2);
  }

  @Test
  void blamesARequestThatFailedOnWhatRefusedLast() {
    // given a handler that copes without mail, then needs the bank
    requests(20, () -> call(mail) & call(bank));
    open(mail);
    open(bank);

    // when
    requests(
        50,
        () -> {
          call(mail);
          return call(bank);
        });

    // then
    assertThat(requirements.inForce()).containsExactly("bank");
    assertThat(about(mail).refusals()).isZero();
  }

  @Test
  void doesNotBlameARefusalForAFailureThatCameAfterIt() {
    open(mail);

    int served =
        requests(
            50,
            () -> {
              call(mail);
              call(stock);
              uses.fail(stock);
              return false;
            });

    assertThat(served).isEqualTo(50);
    assertThat(about(mail).refusals()).isZero();
  }

  @Test
  void takesWhatIsUsedOnlyAfterARefusalForTheHandlersOtherWay() {
    // given a handler that asks the bank only where stock is refused
    open(stock);
    requests(20, () -> call(stock) || call(bank));
    open(bank);

    // when
    requests(50, () -> call(stock) || call(bank));

    // then the bank is not needed, and once stock is back its requests pass
    assertThat(requirements.inForce()).isEmpty();
    stock.reset("test", "test");
    assertThat(requests(50, () -> call(stock) || call(bank))).isEqualTo(50);
  }

  // ---- what is unlearned

  private void needStock() {
    open(stock);
    requests(50, () -> call(stock));
    assertThat(requirements.inForce()).containsExactly("stock");
  }

  @Test
  void letsARequestThroughWhereTheLotFallsAndUnlearnsIfTheHandlerCopes() {
    // given
    needStock();
    drawn = true;

    // when / then
    assertThat(request(() -> call(stock))).isTrue();
    assertThat(requirements.inForce()).containsExactly("stock");
    assertThat(request(() -> call(stock) || true)).isTrue();
    assertThat(requirements.inForce()).isEmpty();
    assertThat(requests(50, () -> call(stock) || true)).isEqualTo(50);
  }

  @Test
  void letsOneRequestThroughWhereThereWasNoneForTenSeconds() {
    needStock();

    now += Requirements.EXAMINATION_NANOS - 1;
    assertThat(requests(50, () -> call(stock))).isZero();
    now += 1;
    assertThat(requests(50, () -> call(stock))).isEqualTo(1);
    now += Requirements.EXAMINATION_NANOS;
    assertThat(requests(50, () -> call(stock))).isEqualTo(1);
  }

  @Test
  void unlearnsWhatTheHandlerNoLongerUses() {
    requests(Requirements.WATCHED_AT_FIRST, () -> call(stock));
    needStock();
    drawn = true;

    int shedding = 0;
    while (!requirements.inForce().isEmpty()) {
      assertThat(request(() -> true)).isTrue();
      assertThat(++shedding).isLessThan(20);
    }
  }

  @Test
  void letsNothingThroughWhileAnotherNeedIsNotClosed() {
    // given
    needStock();
    stock.reset("test", "test");
    open(bank);
    requests(50, () -> call(stock) & call(bank));
    assertThat(requirements.inForce()).containsExactly("bank", "stock");
    drawn = true;

    // when / then
    halfOpen(stock);
    assertThat(requests(50, () -> call(stock) & call(bank))).isZero();
    stock.reset("test", "test");
    stock.override(new ModeOverride(Mode.FORCED_OPEN, now + 1, "test", "test", false));
    assertThat(requests(50, () -> call(stock) & call(bank))).isZero();
    stock.release("test", "test");
    assertThat(request(() -> call(stock) & call(bank))).isTrue();
  }

  // ---- what is said

  @Test
  void obeysTheOperatorAgainstWhatItLearned() {
    needStock();

    requirements.say("stock", Word.NOT_NEEDED);
    assertThat(requests(50, () -> call(stock))).isEqualTo(50);
    assertThat(about(stock).source()).isEqualTo(Source.OPERATOR);
    assertThat(about(stock).needed()).isFalse();

    requirements.say("mail", Word.NEEDED);
    open(mail);
    drawn = true;
    now += 2 * Requirements.EXAMINATION_NANOS;
    assertThat(requests(50, () -> true)).isZero();

    requirements.say("mail", Word.LEARN);
    requirements.say("stock", Word.LEARN);
    assertThat(requirements.inForce()).isEmpty();
    assertThat(about(stock).refusals()).isZero();
    drawn = false;
    assertThat(requests(50, () -> call(stock))).isEqualTo(NeedEvidence.REFUSALS_TO_LEARN);
  }

  @Test
  void learnsNothingWhereRequirementsWereDeclared() {
    Requirements declared =
        new Requirements(downstreams(stock), downstreams(bank, mail), false, bound -> 0);
    open(bank);

    for (int i = 0; i < 50; i++) {
      assertThat(uses.begin(declared, now)).isNull();
      call(bank);
      uses.end(false);
    }

    assertThat(declared.inForce()).containsExactly("stock");
    assertThat(declared.all())
        .containsExactly(new Requirement("stock", true, Source.DECLARED, 0, 0, 0, 0));
    open(stock);
    now += 2 * Requirements.EXAMINATION_NANOS;
    assertThat(uses.begin(declared, now).breaker).isSameAs(stock);
    declared.say("stock", Word.NOT_NEEDED);
    assertThat(uses.begin(declared, now)).isNull();
    declared.say("stock", Word.LEARN);
    assertThat(uses.begin(declared, now).breaker).isSameAs(stock);
  }

  @Test
  void refusesAWordAboutADependencyThatThereIsNot() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> requirements.say("stok", Word.NEEDED))
        .withMessage("dependency: stok (expected one of: [bank, mail, stock])");
  }

  // ---- how it is watched

  @Test
  void looksAtFewRequestsOnceItHasSeenTheFirst() {
    requests(1_000, () -> call(stock));
    assertThat(about(stock).requests()).isEqualTo(Requirements.WATCHED_AT_FIRST);

    sampled = true;
    requests(1_000, () -> call(stock));
    assertThat(about(stock).requests()).isBetween(50, NeedEvidence.MOST_REQUESTS);
  }

  @Test
  void drawsNoConclusionFromARequestThatUsesMoreThanItRemembers() {
    requests(20, () -> call(stock));

    int before = about(stock).requests();
    request(
        () -> {
          for (int i = 0; i < 40; i++) {
            call(breaker("other-" + i));
          }
          return call(stock);
        });

    assertThat(about(stock).requests()).isEqualTo(before);
  }

  // ---- races

  @Test
  void wordsSaidAtOnceAreAllInForce() throws Exception {
    // given so many others that it takes a while to find which are in force
    List<String> names = List.of("bank", "mail", "stock");
    List<Downstream> many = new ArrayList<>(downstreams(bank, mail, stock));
    many.addAll(Collections.nCopies(1_000, new Downstream(breaker("other"))));
    Requirements requirements = new Requirements(List.of(), many, true, bound -> 1);
    CyclicBarrier together = new CyclicBarrier(names.size() + 1);
    ExecutorService pool = Executors.newFixedThreadPool(names.size());
    try {
      for (String name : names) {
        pool.submit(
            () -> {
              for (int round = 0; round < 200; round++) {
                together.await(10, TimeUnit.SECONDS);
                for (int i = round % 2; i < 20; i++) {
                  requirements.say(name, Word.values()[i % 2]);
                }
                requirements.say(name, Word.values()[round % 2]);
                together.await(10, TimeUnit.SECONDS);
              }
              return null;
            });
      }
      for (int round = 0; round < 200; round++) {
        together.await(10, TimeUnit.SECONDS);
        together.await(10, TimeUnit.SECONDS);
        assertThat(requirements.inForce()).isEqualTo(round % 2 == 0 ? names : List.of());
      }
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void whatIsInForceAgreesWithTheEvidenceAfterAnyStorm() throws Exception {
    int threads = 4;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      for (int round = 0; round < 200; round++) {
        Requirements shared =
            new Requirements(
                List.of(),
                downstreams(bank, mail, stock),
                true,
                bound -> ThreadLocalRandom.current().nextInt(Math.min(bound, 2)));
        CountDownLatch start = new CountDownLatch(1);
        List<Future<?>> storm = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
          int number = thread;
          storm.add(
              pool.submit(
                  () -> {
                    Uses own = new Uses(null);
                    start.await();
                    for (int i = 0; i < 100; i++) {
                      if (own.begin(shared, now) == null) {
                        own.use(stock);
                        own.refuse(stock);
                        own.end((i + number) % 37 == 0);
                      }
                      if (number == 0 && i % 50 == 0) {
                        shared.say("mail", i == 0 ? Word.NEEDED : Word.LEARN);
                      }
                    }
                    return null;
                  }));
        }
        start.countDown();
        for (Future<?> one : storm) {
          one.get(10, TimeUnit.SECONDS);
        }

        assertThat(shared.inForce())
            .isEqualTo(
                shared.all().stream()
                    .filter(Requirement::needed)
                    .map(Requirement::dependency)
                    .toList());
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
