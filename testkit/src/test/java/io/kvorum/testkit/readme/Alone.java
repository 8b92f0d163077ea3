package io.kvorum.testkit.readme;

import io.kvorum.core.KeyFilter;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.typed.Codec;
import io.kvorum.core.typed.TypedStore;
import java.time.Duration;

public final class Alone {
    public static void main(String[] arguments) {
        KeyValueStore bytes = ShardedStore.local(4);
        TypedStore<String, Long> accounts = TypedStore.of(bytes, Codec.text(), Codec.decimal());
        accounts.set("{bank}:ada", 100L);
        accounts.set("{bank}:bob", 0L);
        accounts.set("offer", 1L, SetOptions.defaults().withDuration(Duration.ofMinutes(5)));

        int slot = accounts.slotOf("{bank}:ada"); // a hash tag keeps both accounts in one slot
        accounts.transact(slot, keys -> {
            if (keys.increment("{bank}:ada", -30) < 0) {
                throw new IllegalStateException("too little"); // then nothing has changed
            }
            return keys.increment("{bank}:bob", 30);
        });

        ScanOptions all = ScanOptions.defaults().withFilter(KeyFilter.glob("{bank}:*"));
        ScanCursor cursor = ScanCursor.START;
        while (!cursor.isEnd()) {
            ScanPage page = bytes.scan(cursor, all);
            page.keys().forEach(key -> System.out.println(Codec.text().decode(key)));
            cursor = page.next();
        }
        System.out.println(accounts.get("{bank}:ada") + " and " + accounts.get("{bank}:bob"));
    }
}
