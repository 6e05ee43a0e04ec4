package dev.thriftbreaker.management;

import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.LinkStatus;

/** The operator's view of the link to Redis. Reads what the link keeps in memory. */
final class RedisLinkBean implements RedisLinkMXBean {

  private final FleetSync fleet;

  RedisLinkBean(FleetSync fleet) {
    this.fleet = fleet;
  }

  @Override
  public String getAddress() {
    return status().address();
  }

  @Override
  public String getNamespace() {
    return status().namespace();
  }

  @Override
  public String getStatus() {
    return status().state().name();
  }

  @Override
  public boolean isSubscribed() {
    return status().subscribed();
  }

  @Override
  public String getLastSuccess() {
    long wallMillis = status().lastSuccessWallMillis();
    return wallMillis <= 0 ? "" : WallTime.isoOfMillis(wallMillis);
  }

  @Override
  public String getLastError() {
    LinkStatus status = status();
    return status.lastErrorWallMillis() <= 0
        ? ""
        : WallTime.isoOfMillis(status.lastErrorWallMillis()) + " " + status.lastError();
  }

  @Override
  public long getErrorCount() {
    return status().errors();
  }

  @Override
  public long getWriteCount() {
    return status().writes();
  }

  @Override
  public long getEventCount() {
    return status().events();
  }

  @Override
  public long getReconcileCount() {
    return status().reconciles();
  }

  @Override
  public long getRepairCount() {
    return status().repairs();
  }

  @Override
  public int getPendingWrites() {
    return status().pendingWrites();
  }

  @Override
  public String[] getAlarms() {
    return status().alarms().toArray(String[]::new);
  }

  private LinkStatus status() {
    return fleet.status();
  }
}
