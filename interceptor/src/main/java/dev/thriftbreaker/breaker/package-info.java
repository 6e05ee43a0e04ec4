/**
 * The circuit breaker. Knows no Thrift, no Redis and no JMX.
 *
 * <pre>
 *        too many failures, slow or hung calls
 *   +--------+ -----------------------------&gt; +------+
 *   | CLOSED |                   +----------&gt; | OPEN | &lt;--------------+
 *   +--------+                   | trips      +------+                |
 *        ^                       |               |  | open time is over
 *        | the share reaches 1   |               |  v                |
 *        |                  +---------+ &lt;--------+ +-----------+      |
 *        +----------------- | RAMPING |   early    | HALF_OPEN | -----+
 *                           +---------+   probes   +-----------+  a probe fails:
 *                                ^        succeed       |         open again, twice as long
 *                                +----------------------+
 *                                 enough probes succeed
 * </pre>
 *
 * <p>Beside the state stands the mode. In AUTO the state decides. An operator can put FORCED_OPEN,
 * FORCED_CLOSED or SHADOW in force for a time; underneath, the state goes on being judged.
 *
 * <p>CLOSED opens when the window holds {@code minimumCalls} and its failure rate reaches {@code
 * failureRateThreshold} or its slow call rate reaches {@code slowCallRateThreshold}; or, while it
 * holds fewer, after {@code consecutiveFailures} failures in a row. A bad outcome is judged when it
 * comes in. Whether a success completed the minimum of calls is seen at the next tick. A time
 * window of a busy dependency holds mostly what was before a fault, so the latest 50 failures are
 * judged by themselves too: they open the breaker if they are half of the calls since the first of
 * them, and {@code failureRateThreshold}. So do {@code consecutiveFailures} in a row that were slow
 * as well.
 *
 * <p>A call that is still in flight after {@code slowCallDuration} hangs. It counts as slow there
 * and then, once, and not again when it ends; if it fails then, it is one more failure in a row.
 * When calls hang and none has ended for as long, they and the calls that found no place because of
 * them open the breaker together once they are {@code consecutiveFailures}. Time in which this JVM
 * stood still is nobody's fault and does not count.
 *
 * <p>At any time no more calls are in flight than {@code maxConcurrentCalls}, which by default
 * follows what the dependency needs and how many threads serve requests; a further one is refused
 * as FULL. This protects the server while the dependency has not hung long enough to open the
 * breaker.
 *
 * <p>OPEN lasts {@code openDuration}, twice that when it opens again without having closed, and so
 * on up to {@code maxOpenDuration}, spread by {@code openJitter}. Each {@code earlyProbeInterval}
 * one call passes all the same; {@code probeSuccesses} such in a row end it early.
 *
 * <p>HALF_OPEN lets {@code probes} calls be under way at once. {@code probeSuccesses} of them end
 * it; one that fails or is slow opens it again ({@code probeFailureRateThreshold} allows more). A
 * probe that does not end within {@code slowCallDuration} has failed by then and gives its permit
 * back, so hung probes neither keep the breaker shut nor pile up.
 *
 * <p>RAMPING lets the share {@code rampStart} of the calls pass, twice as many after each healthy
 * {@code rampInterval}, half as many after one that was not, and closes at 1. It opens again on
 * what opens a closed breaker.
 *
 * <p>A server's door reserves a place of a breaker that is not closed before it lets a request in,
 * so no more requests pass it than the breaker has places for, also where they race or work for a
 * while before they make their call. What is reserved is neither in flight nor judged, and is given
 * back if the call is not made.
 *
 * <p>A permit belongs to the generation of the state that issued it. An outcome that comes in later
 * counts in the totals and changes nothing else. The term generation is gobreaker's and Polly's.
 *
 * <p>Every setting's unit, range and default: {@link
 * dev.thriftbreaker.breaker.BreakerConfig.Builder}.
 */
package dev.thriftbreaker.breaker;
