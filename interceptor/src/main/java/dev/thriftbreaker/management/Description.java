package dev.thriftbreaker.management;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a JMX console shows beside an attribute, an operation or its parameter, with the unit. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.PARAMETER})
public @interface Description {

  /**
   * The text.
   *
   * @return the text
   */
  String value();

  /**
   * For a parameter, its name as a console shows it.
   *
   * @return the name; empty where the annotation stands on anything else
   */
  String name() default "";
}
