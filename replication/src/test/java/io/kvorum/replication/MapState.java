package io.kvorum.replication;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The smallest replicated state: a sorted map of strings, whose records are {@code key=value}. */
final class MapState implements ReplicatedState {
    Map<String, String> map = new TreeMap<>();
    boolean failing;
    boolean speechless;
    boolean scanFailing;
    boolean completionFailing;
    boolean usedAfterItsEnd;
    int restorations;

    /** How many restorations were begun and have neither been completed nor given up. */
    int openRestorations;

    int scans;
    int openScans;

    /** Writes at a primary: the log first, which may refuse, then the map. Returns the position after it. */
    long write(ReplicationLog log, String key, String value) {
        ByteBuf payload = Unpooled.copiedBuffer(key + "=" + value, UTF_8);
        long offset = log.append(key.length(), payload);
        map.put(key, value);
        return offset;
    }

    @Override
    public void apply(int slot, ByteBuf payload) {
        fail();
        put(map, payload.toString(UTF_8));
    }

    /** A failure whose own message fails. */
    private static final class Speechless extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }

    private void fail() {
        if (failing) {
            throw speechless ? new Speechless() : new IllegalStateException("the state is told to fail");
        }
    }

    private static void put(Map<String, String> target, String entry) {
        int equals = entry.indexOf('=');
        target.put(entry.substring(0, equals), entry.substring(equals + 1));
    }

    @Override
    public SnapshotScan snapshot() {
        scans++;
        openScans++;
        Iterator<String> keys = List.copyOf(map.keySet()).iterator();
        return new SnapshotScan() {
            @Override
            public boolean next(ByteBuf target, int maxBytes) {
                if (scanFailing) {
                    throw new IllegalStateException("the scan is told to fail");
                }
                if (!keys.hasNext()) {
                    return false;
                }
                int limit = target.writerIndex() + maxBytes;
                while (keys.hasNext() && target.writerIndex() < limit) {
                    String key = keys.next();
                    target.writeCharSequence(key + "=" + map.get(key) + "\n", UTF_8);
                }
                return true;
            }

            @Override
            public void close() {
                openScans--;
            }
        };
    }

    @Override
    public Restoration restore() {
        restorations++;
        openRestorations++;
        Map<String, String> aside = new TreeMap<>();
        return new Restoration() {
            private boolean ended;

            private void end() {
                usedAfterItsEnd |= ended;
                openRestorations -= ended ? 0 : 1;
                ended = true;
            }

            @Override
            public void load(ByteBuf entries) {
                fail();
                entries.toString(UTF_8).lines().forEach(entry -> put(aside, entry));
            }

            @Override
            public void apply(int slot, ByteBuf payload) {
                fail();
                put(aside, payload.toString(UTF_8));
            }

            @Override
            public void complete() {
                end();
                if (completionFailing) {
                    throw new IllegalStateException("the restoration is told to fail");
                }
                map = aside;
            }

            @Override
            public void abort() {
                end();
            }
        };
    }

    @Override
    public String toString() {
        return map.entrySet().stream().map(Object::toString).collect(Collectors.joining(" "));
    }
}
