package io.kvorum.resp;

/** A command is answered with an error. The message is the whole error, its code in front. */
final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    static final String SYNTAX = "ERR syntax error";
    static final String NOT_INTEGER = "ERR value is not an integer or out of range";

    CommandException(String error) {
        super(error, null, false, false);
    }

    static CommandException syntax() {
        return new CommandException(SYNTAX);
    }

    static CommandException notInteger() {
        return new CommandException(NOT_INTEGER);
    }

    /** {@return the whole error} */
    String error() {
        return String.valueOf(getMessage());
    }
}
