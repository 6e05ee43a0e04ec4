/**
 * What an operator sees and does: MXBeans with descriptions, notifications, metrics. {@link
 * dev.thriftbreaker.management.Management} registers all of it for one server and takes it back.
 *
 * <p>The MXBean interfaces are public because JMX cannot read others. They hold JDK types only, and
 * operations throw JDK exceptions only, so a console needs none of these classes.
 */
package dev.thriftbreaker.management;
