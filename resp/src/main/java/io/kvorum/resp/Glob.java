package io.kvorum.resp;

/** Matches glob patterns exactly as the server does, malformed ones among them. */
final class Glob {
    private final byte[] pattern;
    private int at; // in the pattern, after a token was matched

    private Glob(byte[] pattern) {
        this.pattern = pattern;
    }

    static boolean matches(byte[] pattern, byte[] text) {
        return new Glob(pattern).matches(text);
    }

    static boolean matches(String pattern, String text) {
        return matches(Text.bytes(pattern), Text.bytes(text));
    }

    private boolean matches(byte[] text) {
        int position = 0;
        int starAt = -1; // the pattern behind the last star
        int starText = 0; // where the rest of the text is tried from
        at = 0;
        while (position < text.length) {
            if (at < pattern.length && pattern[at] == '*') {
                starAt = ++at;
                starText = position;
            } else if (at < pattern.length && matchesOne(text[position])) {
                position++;
            } else if (starAt >= 0) {
                at = starAt;
                position = ++starText;
            } else {
                return false;
            }
        }
        while (at < pattern.length && pattern[at] == '*') {
            at++;
        }
        return at == pattern.length;
    }

    private boolean matchesOne(byte b) {
        byte token = pattern[at++];
        if (token == '?') {
            return true;
        }
        if (token == '[') {
            return matchesClass(b & 0xff);
        }
        return (token == '\\' && at < pattern.length ? pattern[at++] : token) == b;
    }

    private boolean matchesClass(int b) {
        boolean negated = at < pattern.length && pattern[at] == '^';
        if (negated) {
            at++;
        }
        boolean found = false;
        while (at < pattern.length && pattern[at] != ']') {
            if (pattern[at] == '\\' && at + 1 < pattern.length) {
                found |= (pattern[at + 1] & 0xff) == b;
                at += 2;
            } else if (at + 2 < pattern.length && pattern[at + 1] == '-') {
                int first = pattern[at] & 0xff;
                int last = pattern[at + 2] & 0xff;
                found |= Math.min(first, last) <= b && b <= Math.max(first, last);
                at += 3;
            } else {
                found |= (pattern[at] & 0xff) == b;
                at++;
            }
        }
        at = Math.min(at + 1, pattern.length);
        return found != negated;
    }
}
