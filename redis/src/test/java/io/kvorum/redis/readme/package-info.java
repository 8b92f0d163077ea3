/** The program of the README, as a user would write it. */
package io.kvorum.redis.readme;
