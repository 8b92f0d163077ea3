package io.kvorum.resp;

import java.util.Locale;

/** A command is answered with an error. The message is the whole error, its code in front. */
final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    static final String SYNTAX = "ERR syntax error";
    static final String NOT_INTEGER = "ERR value is not an integer or out of range";

    private final boolean mayBeDone;

    CommandException(String error) {
        this(error, false);
    }

    private CommandException(String error, boolean mayBeDone) {
        super(error, null, false, false);
        this.mayBeDone = mayBeDone;
    }

    /** {@return the error of a command that was carried out here, and may or may not last} */
    static CommandException unknown(String error) {
        return new CommandException(error, true);
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

    /** {@return whether the command may have been carried out all the same} */
    boolean mayBeDone() {
        return mayBeDone;
    }

    /** {@return the whole error} */
    String error() {
        return String.valueOf(getMessage());
    }
}
