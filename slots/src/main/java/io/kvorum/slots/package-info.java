/** CRC16 hash slots, slot ranges and slot sets. Pure values: no threads, no clocks. */
package io.kvorum.slots;
