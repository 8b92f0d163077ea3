/**
 * An application of some size, tested in virtual time: shopping carts in a cluster, with a cache in front, retries and
 * a scheduled job. Each of its {@linkplain io.kvorum.testkit.cart.Bug planted bugs} is found by seeds.
 */
@org.jspecify.annotations.NullMarked
package io.kvorum.testkit.cart;
