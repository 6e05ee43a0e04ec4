/** What the breaker costs where nothing is wrong, beside its peers in the same run. */
package dev.thriftbreaker.costs;
