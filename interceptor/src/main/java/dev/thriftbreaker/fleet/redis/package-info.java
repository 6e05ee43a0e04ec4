/** The fleet's state in Redis. */
package dev.thriftbreaker.fleet.redis;
