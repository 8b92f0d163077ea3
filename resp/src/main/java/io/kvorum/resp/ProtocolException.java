package io.kvorum.resp;

/** The bytes of a client are no command. The connection answers with the message and ends. */
final class ProtocolException extends Exception {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message, null, false, false);
    }
}
