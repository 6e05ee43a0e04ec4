package dev.thriftbreaker.fleet.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisAddressTest {

  @Test
  void readsAllPartsAndShowsNoCredentials() {
    RedisAddress address = RedisAddress.of(URI.create("redis://ann:p%40ss%2F+1@cache:7000/3"));

    assertThat(address.host()).isEqualTo("cache");
    assertThat(address.port()).isEqualTo(7000);
    assertThat(address.user()).isEqualTo("ann");
    assertThat(address.password()).isEqualTo("p@ss/+1");
    assertThat(address.database()).isEqualTo(3);
    assertThat(address.toString()).isEqualTo("redis://cache:7000/3");
    assertThat(new RedisStore(URI.create("redis://ann:secret@cache")).toString())
        .isEqualTo("redis://cache:6379");
  }

  @Test
  void allButTheHostMayBeLeftOut() {
    assertThat(RedisAddress.of(URI.create("redis://my_host")).toString())
        .isEqualTo("redis://my_host:6379");
    assertThat(RedisAddress.of(URI.create("redis://:secret@h/")).password()).isEqualTo("secret");
    assertThat(RedisAddress.of(URI.create("redis://:secret@h/")).user()).isNull();
    assertThat(RedisAddress.of(URI.create("redis://[::1]:7000")).host()).isEqualTo("::1");
    assertThat(RedisAddress.of(URI.create("redis://[::1]")).toString())
        .isEqualTo("redis://[::1]:6379");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rediss://ann:secret@host",
        "http://ann:secret@host",
        "ann:secret@host",
        "redis:ann:secret@host",
        "redis://secret@host",
        "redis://ann:secret@host:port",
        "redis://ann:secret@host:0",
        "redis://ann:secret@host:65536",
        "redis://ann:secret@host:00006379",
        "redis://ann:secret@host:4294973675",
        "redis://ann:secret@host:",
        "redis://ann:secret@host:-1",
        "redis://ann:secret@host/db",
        "redis://ann:secret@host/1/2",
        "redis://ann:secret@host?a=b",
        "redis://ann:secret@:6379",
        "redis://ann:sec/ret@host",
        "host"
      })
  void refusesAnythingElseWithoutShowingThePassword(String text) {
    assertThatThrownBy(() -> new RedisStore(URI.create(text)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("redis: ")
        .hasMessageEndingWith("(expected: redis://[user:password@]host[:port][/database])")
        .message()
        .doesNotContain("secret");
  }
}
