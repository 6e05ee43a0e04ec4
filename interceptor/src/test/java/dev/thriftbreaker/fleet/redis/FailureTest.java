package dev.thriftbreaker.fleet.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.fleet.StoreException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

class FailureTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DENIED|WRONGPASS invalid username-password pair or user is disabled.",
        "DENIED|NOAUTH Authentication required.",
        "DENIED|NOPERM this user has no permissions to run the 'hmget' command",
        "DENIED|ERR Error running script (call to f_1): @user_script:9: The user executing the"
            + " script can't run this command or subcommand",
        "READ_ONLY|OOM command not allowed when used memory > 'maxmemory'. script: 1",
        "READ_ONLY|ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed",
        "READ_ONLY|READONLY You can't write against a read only replica.",
        "READ_ONLY|NOREPLICAS Not enough good replicas to write.",
        "READ_ONLY|MISCONF Redis is configured to save RDB snapshots",
        "BUSY|LOADING Redis is loading the dataset in memory",
        "BUSY|BUSY Redis is busy running a script.",
        "BUSY|TRYAGAIN Multiple keys request during rehashing of slot",
        "BUSY|CLUSTERDOWN The cluster is down",
        "BROKEN|WRONGTYPE Operation against a key holding the wrong kind of value",
        "BROKEN|ERR unknown command 'EVALSHA'"
      })
  void anErrorOfTheServerIsToldByItsCode(Kind kind, String message) {
    assertThat(Failure.of(new JedisDataException(message)).kind()).isEqualTo(kind);
    assertThat(Failure.of(new JedisException("wrapped", new JedisDataException(message))).kind())
        .isEqualTo(kind);
  }

  @Test
  void theWordsBeginWithWhatHappened() {
    String wrapped =
        "ERR Error running script (call to f_9a543507dc8ef57e1451daf25a9ed3c4161ddbc8):"
            + " @user_script:98: @user_script: 98: -OOM command not allowed";

    assertThat(Failure.of(new JedisDataException(wrapped))).hasMessage("OOM command not allowed");
  }

  @Test
  void anythingElseMeansThatNobodyKnowsWhetherItWasDone() {
    JedisConnectionException timeout =
        new JedisConnectionException(new java.net.SocketTimeoutException("Read timed out"));

    assertThat(Failure.of(timeout).kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(Failure.of(timeout)).hasMessageContaining("Read timed out");
  }
}
