package io.kvorum.core.typed;

import io.kvorum.core.FixedClock;
import io.kvorum.core.KeyFilter;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import java.time.Duration;

/**
 * The README's example of a store, under load for an hour of a clock that is set by hand. Nobody calls
 * {@link ShardedStore#expire} meanwhile, and no thread of the store's own deletes anything: its writes do.
 */
final class OneHour {
    static final int SECONDS = 3_600;
    static final int OFFERS_A_SECOND = 25;
    static final Duration LIFE = Duration.ofMinutes(5);

    private OneHour() {}

    /** Prints the most keys that were held, those held at the end, and those left once all has expired. */
    public static void main(String[] arguments) {
        FixedClock clock = new FixedClock(0);
        ShardedStore bytes = ShardedStore.builder().shards(4).clock(clock).build();
        TypedStore<String, Long> accounts = TypedStore.of(bytes, Codec.text(), Codec.decimal());
        accounts.set("{bank}:ada", 1L << 40);
        accounts.set("{bank}:bob", 0L);
        TypedStore<String, String> offers = TypedStore.of(bytes, Codec.text(), Codec.text());
        String offer = "x".repeat(2_000); // 180 MB of them in an hour
        long most = 0;
        for (int second = 0; second < SECONDS; second++) {
            clock.set(second * 1_000L);
            for (int i = 0; i < OFFERS_A_SECOND; i++) {
                offers.set(
                        "offer:" + second + ":" + i,
                        offer,
                        SetOptions.defaults().withDuration(LIFE));
            }
            accounts.transact(accounts.slotOf("{bank}:ada"), keys -> {
                keys.increment("{bank}:ada", -30);
                return keys.increment("{bank}:bob", 30);
            });
            most = Math.max(most, bytes.size());
            if (second % 600 == 0) {
                requireBothAccounts(bytes);
            }
        }
        long held = bytes.size();
        clock.set(SECONDS * 1_000L + LIFE.toMillis());
        while (bytes.expire(1_000) > 0) {
            // until nothing is left to delete
        }
        System.out.println(most + " " + held + " " + bytes.size() + " " + accounts.get("{bank}:bob"));
    }

    private static void requireBothAccounts(KeyValueStore bytes) {
        ScanOptions all = ScanOptions.defaults().withFilter(KeyFilter.glob("{bank}:*"));
        ScanCursor cursor = ScanCursor.START;
        int found = 0;
        while (!cursor.isEnd()) {
            ScanPage page = bytes.scan(cursor, all);
            found += page.keys().size();
            cursor = page.next();
        }
        if (found != 2) {
            throw new AssertionError("accounts found: " + found);
        }
    }
}
