package io.kvorum.core.engine;

/**
 * The two places in each record that hold it in a doubly linked list. Records are known by references, which are
 * positive; 0 is none.
 */
interface Links {
    /** The reference to nothing. */
    int NONE = 0;

    int next(int reference);

    void setNext(int reference, int next);

    int previous(int reference);

    void setPrevious(int reference, int previous);
}
