/** Contracts of the interfaces that users implement, as abstract test classes. */
package io.kvorum.testkit.contract;
