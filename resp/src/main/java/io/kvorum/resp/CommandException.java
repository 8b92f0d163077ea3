package io.kvorum.resp;

import java.util.Locale;

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

    /** {@return the error of a subcommand that was given too many words} */
    static CommandException subcommand(Call call) {
        return new CommandException("ERR unknown subcommand or wrong number of arguments for '" + call.shown(1)
                + "'. Try " + call.text(0).toUpperCase(Locale.ROOT) + " HELP.");
    }

    /** {@return the whole error} */
    String error() {
        return String.valueOf(getMessage());
    }
}
