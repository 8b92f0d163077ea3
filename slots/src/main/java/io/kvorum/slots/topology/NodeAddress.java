package io.kvorum.slots.topology;

import io.kvorum.slots.MalformedTextException;

/**
 * The host and port at which a node can be reached. An address is an attribute of a node, never its identity: a node
 * that moves keeps its {@link NodeId}.
 *
 * <p>A host is a name, an IPv4 address, or an IPv6 address without brackets, with a zone if need be. It is compared as
 * it is written: a name is not resolved, and {@code ::1} and {@code 0::1} are different hosts.
 *
 * <p>Immutable.
 *
 * @param host the host: 1 to 255 characters
 * @param port the port: 1 to 65,535
 */
public record NodeAddress(String host, int port) {
    private static final int MAX_HOST = 255;
    private static final int MAX_PORT = 65_535;
    private static final int IPV6_GROUPS = 8;

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code host} is neither a name nor an address, or {@code port} is out of
     *     range
     */
    public NodeAddress {
        if (host.isEmpty() || host.length() > MAX_HOST) {
            throw new IllegalArgumentException(
                    "host must have 1 to " + MAX_HOST + " characters: it has " + host.length());
        }
        if (host.indexOf(':') >= 0 ? !isIpv6(host) : !isName(host)) {
            throw new IllegalArgumentException("host must be a name, an IPv4 or an IPv6 address: " + host);
        }
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("port must be between 1 and " + MAX_PORT + ": " + port);
        }
    }

    /**
     * Parses the form that {@link #toString()} writes.
     *
     * @param text the text, as in {@code node-1.example:7000}, {@code 10.0.0.1:7000} or {@code [fe80::1%eth0]:7000}
     * @return the address
     * @throws MalformedTextException if the text has another form, or a part of it is out of range
     */
    public static NodeAddress parse(String text) {
        boolean bracketed = text.startsWith("[");
        int hostEnd = bracketed ? text.indexOf("]:") : text.indexOf(':');
        if (hostEnd < 0) {
            throw new MalformedTextException(
                    text.length(), "address must have the form host:port or [IPv6 address]:port: " + text);
        }
        String host = text.substring(bracketed ? 1 : 0, hostEnd);
        int portStart = hostEnd + (bracketed ? 2 : 1);
        if (bracketed && host.indexOf(':') < 0) {
            throw new MalformedTextException(1, "host in brackets must be an IPv6 address: " + host);
        }
        int port = (int) Epoch.number(text, portStart, text.length(), "port", MAX_PORT);
        try {
            return new NodeAddress(host, port);
        } catch (IllegalArgumentException e) {
            throw new MalformedTextException(port == 0 ? portStart : 0, String.valueOf(e.getMessage()));
        }
    }

    private static boolean isName(String host) {
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            if (!isLetterOrDigit(c) && c != '.' && c != '-' && c != '_') {
                return false;
            }
        }
        return true;
    }

    /** Eight groups of hexadecimal digits, the last two perhaps as an IPv4 address, or fewer and one {@code ::}. */
    private static boolean isIpv6(String host) {
        int zone = host.indexOf('%');
        if (zone >= 0 && (zone == host.length() - 1 || !isName(host.substring(zone + 1)))) {
            return false;
        }
        String address = zone < 0 ? host : host.substring(0, zone);
        int gap = address.indexOf("::");
        if (gap < 0) {
            return groups(address, true) == IPV6_GROUPS;
        }
        int head = gap == 0 ? 0 : groups(address.substring(0, gap), false);
        String rest = address.substring(gap + 2);
        int tail = rest.isEmpty() ? 0 : groups(rest, true);
        return head >= 0 && tail >= 0 && head + tail < IPV6_GROUPS;
    }

    /** Counts the groups of 16 bits between colons; a negative number if one is malformed. */
    private static int groups(String text, boolean ipv4AtEnd) {
        String[] parts = text.split(":", -1);
        int count = 0;
        for (int i = 0; i < parts.length; i++) {
            if (ipv4AtEnd && i == parts.length - 1 && isIpv4(parts[i])) {
                count += 2;
            } else if (isGroup(parts[i])) {
                count++;
            } else {
                return Integer.MIN_VALUE / 2;
            }
        }
        return count;
    }

    private static boolean isGroup(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.digit(text.charAt(i), 16) < 0 || text.charAt(i) > 'f') {
                return false;
            }
        }
        return !text.isEmpty() && text.length() <= 4;
    }

    private static boolean isIpv4(String text) {
        String[] parts = text.split("\\.", -1);
        for (String part : parts) {
            if (part.isEmpty()
                    || part.length() > 3
                    || !part.chars().allMatch(c -> c >= '0' && c <= '9')
                    || Integer.parseInt(part) > 255) {
                return false;
            }
        }
        return parts.length == 4;
    }

    private static boolean isLetterOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    /** {@return the host, an IPv6 address in brackets, a colon and the port} */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
