package dev.thriftbreaker.management;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.HashMap;
import java.util.Map;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.NotificationEmitter;
import javax.management.StandardEmitterMBean;

/**
 * An MXBean that tells consoles what its {@link Description} annotations say: attributes and
 * operations with their meaning and unit, parameters with their names.
 *
 * <p>What only reads is an attribute; so every operation counts as an action.
 *
 * <p>What it tells is the same for all beans of one class: it is made for the first one and shared,
 * which saves each further one some milliseconds at start and some 100 kB for good.
 */
final class DescribedMBean extends StandardEmitterMBean {

  /**
   * What the beans of one class have in common. Safe for any threads: a race only makes the
   * information twice.
   */
  static final class Kind {
    private final Map<String, Method> methods = new HashMap<>();
    private volatile MBeanInfo info;

    /** For beans of that MXBean interface that are of one class and send the same notifications. */
    Kind(Class<?> mxbean) {
      for (Method method : mxbean.getMethods()) {
        methods.putIfAbsent(method.getName() + method.getParameterCount(), method);
      }
    }
  }

  private final Kind kind;

  <T> DescribedMBean(T bean, Class<T> mxbean, NotificationEmitter emitter, Kind kind) {
    super(bean, mxbean, true, emitter);
    this.kind = kind;
  }

  @Override
  protected MBeanInfo getCachedMBeanInfo() {
    return kind.info;
  }

  @Override
  protected void cacheMBeanInfo(MBeanInfo info) {
    kind.info = info;
  }

  @Override
  protected String getDescription(MBeanInfo info) {
    Description description = getMBeanInterface().getAnnotation(Description.class);
    return description == null ? super.getDescription(info) : description.value();
  }

  @Override
  protected String getDescription(MBeanAttributeInfo attribute) {
    return described(attribute, method((attribute.isIs() ? "is" : "get") + attribute.getName(), 0));
  }

  @Override
  protected String getDescription(MBeanOperationInfo operation) {
    return described(operation, method(operation.getName(), operation.getSignature().length));
  }

  @Override
  protected String getDescription(
      MBeanOperationInfo operation, MBeanParameterInfo parameter, int index) {
    Description description = parameter(operation, index);
    return description == null
        ? super.getDescription(operation, parameter, index)
        : description.value();
  }

  @Override
  protected String getParameterName(
      MBeanOperationInfo operation, MBeanParameterInfo parameter, int index) {
    Description description = parameter(operation, index);
    return description == null
        ? super.getParameterName(operation, parameter, index)
        : description.name();
  }

  @Override
  protected int getImpact(MBeanOperationInfo operation) {
    return MBeanOperationInfo.ACTION;
  }

  private static String described(MBeanFeatureInfo feature, Method method) {
    Description description = method == null ? null : method.getAnnotation(Description.class);
    return description == null ? feature.getDescription() : description.value();
  }

  private Description parameter(MBeanOperationInfo operation, int index) {
    Method method = method(operation.getName(), operation.getSignature().length);
    if (method == null) {
      return null;
    }
    Parameter parameter = method.getParameters()[index];
    return parameter.getAnnotation(Description.class);
  }

  private Method method(String name, int parameters) {
    return kind.methods.get(name + parameters);
  }
}
