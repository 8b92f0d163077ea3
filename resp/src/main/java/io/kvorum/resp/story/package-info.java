/** The step of the main job that a Redis client sees. Not for use by applications. */
package io.kvorum.resp.story;
