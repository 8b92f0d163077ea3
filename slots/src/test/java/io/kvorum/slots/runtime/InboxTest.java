package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class InboxTest {
    private final Inbox<String> inbox = new Inbox<>(2);

    @Test
    void elementsAreTakenInOrder() {
        inbox.offer("a");
        inbox.offer("b");
        assertEquals("a", inbox.poll());
        assertEquals("b", inbox.poll());
        assertNull(inbox.poll());
    }

    @Test
    void whatIsBeyondTheCapacityIsRefusedAndCounted() {
        assertTrue(inbox.offer("a"));
        assertTrue(inbox.offer("b"));
        assertFalse(inbox.offer("c"));
        assertEquals(1, inbox.refused());
        assertEquals(2, inbox.size());
        inbox.poll();
        assertTrue(inbox.offer("d"));
        assertEquals("b", inbox.poll());
        assertEquals("d", inbox.poll());
        assertEquals(0, inbox.size());
    }

    @Test
    void aCapacityIsPositive() {
        assertThrows(IllegalArgumentException.class, () -> new Inbox<String>(0));
    }
}
