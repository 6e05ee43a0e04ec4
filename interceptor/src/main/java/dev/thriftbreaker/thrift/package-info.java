/**
 * The request path on Apache Thrift: what happens to a request between the server that read its
 * header and the handler, and to the handler's own calls of its dependencies.
 *
 * <p>{@link dev.thriftbreaker.thrift.RequestPath} wraps a processor: it finds a request's method in
 * its header, sheds the request while a dependency that the method cannot do without refuses calls,
 * and otherwise lets it pass and counts how it ended. While a breaker that such a method needs lets
 * few calls pass, a request takes a place of it along, which its first guarded call uses and which
 * is given back at its end if there was none. {@link dev.thriftbreaker.thrift.Guard} puts a breaker
 * in front of a client. {@link dev.thriftbreaker.thrift.ShedReplies} says what shed requests come
 * to, {@link dev.thriftbreaker.thrift.MethodBreakers} which methods have a breaker of their own.
 * {@link dev.thriftbreaker.thrift.Shed} is for the programs that call such a server.
 *
 * <p>An asynchronous processor is wrapped as one: its request outlives the thread's part in it, so
 * what is known of it is not the thread's but its own, an {@code AsyncRequest} that the handler
 * answers to when and where it likes. Guards take it along to where their calls end.
 *
 * <p>Which dependencies those are is declared, or learned from what guards see in the course of a
 * method's requests: {@link dev.thriftbreaker.thrift.Requirements} says how.
 *
 * <p>A wrapped server answers byte for byte what the bare one answers, with two exceptions:
 * requests that are shed, and a dependency's transport failure that escapes the handler, which the
 * caller gets as an INTERNAL_ERROR where a bare server closes the caller's connection.
 */
package dev.thriftbreaker.thrift;
