/**
 * What the instances of a fleet agree on: the port to the store they share, the rules by which its
 * state and theirs are merged, and the worker that does it.
 */
package dev.thriftbreaker.fleet;
