/** Snapshots of a store in a file or any other stream. */
package io.kvorum.core.snapshot;
