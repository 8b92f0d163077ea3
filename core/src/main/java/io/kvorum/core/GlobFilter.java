package io.kvorum.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.slots.MalformedTextException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matches bytes with a glob pattern, without recursion: after a mismatch only the last star takes one byte more, since
 * what an earlier star could take instead, the last one can as well. If that is repeated too often, the rest of the
 * part after the star is looked for bit by bit in parallel (Baeza-Yates and Gonnet, "A new approach to text searching",
 * 1992), whose work is bounded by the length of the key and one 64th of that of the part. Immutable.
 */
final class GlobFilter implements KeyFilter {
    private static final int MAX_LENGTH = 1 << 16;

    /** How many bytes may be looked at again, before the search for a part is done in parallel. */
    private static final int MAX_REPEATED = 1 << 12;

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
        int repeated = 0;
        while (at < key.length) {
            if (isStar(token)) {
                afterStar = ++token;
                starEnd = at;
                repeated = 0;
            } else if (matches(token, key[at])) {
                token++;
                at++;
            } else if (afterStar >= 0) {
                repeated += token - afterStar;
                token = afterStar;
                at = ++starEnd;
                if (repeated > MAX_REPEATED) {
                    int end = endOfPart(afterStar);
                    at = end == tokens.length
                            ? Math.max(at, key.length - (end - afterStar)) // it must match at the very end
                            : find(key, at, afterStar, end);
                    if (at < 0) {
                        return false;
                    }
                    starEnd = at;
                    repeated = 0;
                }
            } else {
                return false;
            }
        }
        while (isStar(token)) {
            token++;
        }
        return token == tokens.length;
    }

    private int endOfPart(int token) {
        int end = token;
        while (end < tokens.length && tokens[end] != null) {
            end++;
        }
        return end;
    }

    /** Returns where some tokens, none of them a star, match first from a place on, or -1. */
    private int find(byte[] key, int from, int firstToken, int endToken) {
        int length = endToken - firstToken;
        int words = (length + Long.SIZE - 1) / Long.SIZE;
        long[][] masks = new long[256][];
        long[] state = new long[words]; // bit i: the last i + 1 bytes match the first i + 1 tokens
        for (int at = from; at < key.length; at++) {
            int b = key[at] & 0xff;
            if (masks[b] == null) {
                masks[b] = mask(b, firstToken, length);
            }
            long carried = 1;
            for (int word = 0; word < words; word++) {
                long shifted = state[word] << 1 | carried;
                carried = state[word] >>> 63;
                state[word] = shifted & masks[b][word];
            }
            if ((state[words - 1] >>> (length - 1) & 1) != 0) {
                return at - length + 1;
            }
        }
        return -1;
    }

    /** Returns at which of some tokens a byte may be. */
    private long[] mask(int b, int firstToken, int length) {
        long[] mask = new long[(length + Long.SIZE - 1) / Long.SIZE];
        for (int i = 0; i < length; i++) {
            if (matches(firstToken + i, (byte) b)) {
                mask[i / Long.SIZE] |= 1L << i;
            }
        }
        return mask;
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
