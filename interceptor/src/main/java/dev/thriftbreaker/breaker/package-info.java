/**
 * The circuit breaker. Knows no Thrift, no Redis and no JMX.
 *
 * <pre>
 *              too many failures or slow calls
 *   +--------+ ------------------------------> +------+
 *   | CLOSED |                                 | OPEN | &lt;--------------+
 *   +--------+ &lt;--+                            +------+                |
 *                 |                               | open time is over  |
 *                 |                               v                    |
 *                 |  enough probes succeed  +-----------+              |
 *                 +------------------------ | HALF_OPEN | -------------+
 *                                           +-----------+  a probe fails: open again, twice as long
 * </pre>
 *
 * <p>Beside the state stands the mode. In AUTO the state decides. An operator can put FORCED_OPEN,
 * FORCED_CLOSED or SHADOW in force for a time; underneath, the state goes on being judged.
 *
 * <p>CLOSED opens when the window holds {@code minimumCalls} and its failure rate reaches {@code
 * failureRateThreshold} or its slow call rate reaches {@code slowCallRateThreshold}; or, while it
 * holds fewer, after {@code consecutiveFailures} failures in a row. A bad outcome is judged when it
 * comes in. Whether a success completed the minimum of calls is seen at the next tick.
 *
 * <p>OPEN lasts {@code openDuration}, twice that when it opens again from HALF_OPEN, and so on up
 * to {@code maxOpenDuration}, spread by {@code openJitter}.
 *
 * <p>HALF_OPEN lets {@code probes} calls be under way at once. {@code probeSuccesses} of them close
 * it; one that fails or is slow opens it again ({@code probeFailureRateThreshold} allows more). A
 * probe that does not end within {@code slowCallDuration} has failed by then and gives its permit
 * back, so hung probes neither keep the breaker shut nor pile up.
 *
 * <p>A permit belongs to the generation of the state that issued it. An outcome that comes in later
 * counts in the totals and changes nothing else. The term generation is gobreaker's and Polly's.
 *
 * <p>Every setting's unit, range and default: {@link
 * dev.thriftbreaker.breaker.BreakerConfig.Builder}.
 */
package dev.thriftbreaker.breaker;
