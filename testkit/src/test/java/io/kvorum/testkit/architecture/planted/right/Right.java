package io.kvorum.testkit.architecture.planted.right;

import io.kvorum.testkit.architecture.planted.left.Left;

/** The other half of a cycle of packages. */
public interface Right {
    /** {@return the first half} */
    Left left();
}
