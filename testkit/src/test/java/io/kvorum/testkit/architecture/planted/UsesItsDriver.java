package io.kvorum.testkit.architecture.planted;

import io.kvorum.testkit.architecture.planted.runtime.Driver;

/** A machine that calls out. */
public record UsesItsDriver(Driver driver) {}
