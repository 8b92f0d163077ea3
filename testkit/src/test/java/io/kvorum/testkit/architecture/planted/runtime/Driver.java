package io.kvorum.testkit.architecture.planted.runtime;

/** What a machine must not know. */
public final class Driver {}
