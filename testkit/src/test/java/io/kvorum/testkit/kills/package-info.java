/** Processes that are killed while they acknowledge writes. */
@NullMarked
package io.kvorum.testkit.kills;

import org.jspecify.annotations.NullMarked;
