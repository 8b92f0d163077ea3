package io.kvorum.testkit.architecture.planted.left;

import io.kvorum.testkit.architecture.planted.right.Right;

/** One half of a cycle of packages. */
public interface Left {
    /** {@return the other half} */
    Right right();
}
