package io.kvorum.testkit.cart;

/** What is wrong with the application, on purpose. */
enum Bug {
    NONE,
    /** An addition whose outcome is unknown is made again without looking whether it was made. */
    ADDS_TWICE,
    /** The cache forgets a cart before it is changed instead of after: what is read meanwhile is old, and stays. */
    FORGETS_TOO_EARLY,
    /** The job deletes an abandoned cart, whatever has been put into it since the job looked. */
    SWEEPS_WHAT_IS_NEW
}
