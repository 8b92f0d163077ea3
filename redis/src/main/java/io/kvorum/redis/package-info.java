/** The key-value store on real Redis and Valkey servers, and sentinels that fail them over. */
package io.kvorum.redis;
