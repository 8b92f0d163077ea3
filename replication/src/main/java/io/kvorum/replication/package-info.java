/** Replication log, primary and replica state machines, synchronisation, acknowledgement levels and fencing. */
package io.kvorum.replication;
