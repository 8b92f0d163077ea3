package io.kvorum.testkit.architecture.planted.ring;

import org.jspecify.annotations.Nullable;

/** One of five classes that depend on each other in a ring. */
public final class Ring5 {
    @Nullable
    Ring1 next;
}
