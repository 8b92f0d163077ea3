/** Micrometer meters of stores. */
package io.kvorum.metrics;
