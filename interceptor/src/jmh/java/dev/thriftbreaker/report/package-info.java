/** What the reports of all benchmarks have in common. */
package dev.thriftbreaker.report;
