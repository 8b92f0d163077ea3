package io.kvorum.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.MalformedTextException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matches bytes with a glob pattern, without recursion: after a mismatch only the last star takes one byte more, since
 * what an earlier star could take instead, the last one can as well. Immutable.
 */
final class GlobFilter implements KeyFilter {
    private static final int MAX_LENGTH = 1 << 16;
    private static final int MAX_STEPS = 1_000_000;

    /** Sets of bytes, and null for each star. */
    private final @Nullable BitSet[] tokens;

    GlobFilter(String pattern) {
        for (int i = 0; i < pattern.length(); i += Character.charCount(pattern.codePointAt(i))) {
            int c = pattern.codePointAt(i);
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                throw new MalformedTextException(i, "a glob must have no surrogate without its partner");
            }
        }
        byte[] bytes = pattern.getBytes(UTF_8);
        if (bytes.length > MAX_LENGTH) {
            throw new MalformedTextException(
                    pattern.length(), "a glob must have at most " + MAX_LENGTH + " bytes: it has " + bytes.length);
        }
        this.tokens = new Parser(bytes).tokens();
    }

    @Override
    public boolean accepts(byte[] key) {
        int token = 0;
        int at = 0;
        int afterStar = -1; // the token after the last star, and up to where that star reaches
        int starEnd = 0;
        int steps = 0;
        while (at < key.length) {
            if (++steps > MAX_STEPS) {
                throw new IllegalArgumentException("a glob must match a key within " + MAX_STEPS + " steps: it has "
                        + tokens.length + " parts, the key " + key.length + " bytes");
            }
            if (isStar(token)) {
                afterStar = ++token;
                starEnd = at;
            } else if (matches(token, key[at])) {
                token++;
                at++;
            } else if (afterStar >= 0) {
                token = afterStar;
                at = ++starEnd;
            } else {
                return false;
            }
        }
        while (isStar(token)) {
            token++;
        }
        return token == tokens.length;
    }

    private boolean isStar(int token) {
        return token < tokens.length && tokens[token] == null;
    }

    private boolean matches(int token, byte b) {
        BitSet set = token < tokens.length ? tokens[token] : null;
        return set != null && set.get(b & 0xff);
    }

    /** Reads a pattern, each part as the set of the bytes that it stands for. */
    private static final class Parser {
        private final byte[] pattern;
        private int at;

        Parser(byte[] pattern) {
            this.pattern = pattern;
        }

        @Nullable
        BitSet[] tokens() {
            List<@Nullable BitSet> tokens = new ArrayList<>();
            while (at < pattern.length) {
                byte b = pattern[at++];
                switch (b) {
                    case '*' -> {
                        if (tokens.isEmpty() || tokens.get(tokens.size() - 1) != null) {
                            tokens.add(null);
                        }
                    }
                    case '?' -> tokens.add(range(0, 0xff));
                    case '[' -> tokens.add(set());
                    case '\\' -> tokens.add(range(escaped(), pattern[at - 1] & 0xff));
                    default -> tokens.add(range(b & 0xff, b & 0xff));
                }
            }
            return tokens.toArray(new @Nullable BitSet[0]);
        }

        private BitSet set() {
            int start = at - 1;
            BitSet set = new BitSet(256);
            boolean inverted = at < pattern.length && pattern[at] == '^';
            if (inverted) {
                at++;
            }
            while (at < pattern.length && pattern[at] != ']') {
                int first = member();
                int last = first;
                if (at + 1 < pattern.length && pattern[at] == '-' && pattern[at + 1] != ']') {
                    at++;
                    last = member();
                }
                if (last < first) {
                    throw fault(at - 1, "a range of a glob must not run backwards");
                }
                set.or(range(first, last));
            }
            if (at == pattern.length) {
                throw fault(start, "a class of a glob must be closed by ]");
            }
            if (set.isEmpty()) {
                throw fault(start, "a class of a glob must not be empty");
            }
            at++;
            if (inverted) {
                set.flip(0, 256);
            }
            return set;
        }

        private int member() {
            byte b = pattern[at++];
            return b == '\\' ? escaped() : b & 0xff;
        }

        private int escaped() {
            if (at == pattern.length) {
                throw fault(at - 1, "a glob must not end with a backslash");
            }
            return pattern[at++] & 0xff;
        }

        /** The position of a fault is that of a character, of which the bytes before it tell. */
        private MalformedTextException fault(int position, String rule) {
            return new MalformedTextException(new String(pattern, 0, position, UTF_8).length(), rule);
        }

        private static BitSet range(int first, int last) {
            BitSet set = new BitSet(256);
            set.set(first, last + 1);
            return set;
        }
    }
}
