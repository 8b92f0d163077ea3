package io.kvorum.redis;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.OutcomeUnknownException.Reason;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisURI;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the failures of a server and of the way to it are called here. */
final class Failures {
    /** What EXEC is answered with where another command would have been refused, before the answer to that. */
    private static final String ABORTED = "EXECABORT Transaction discarded because of: ";

    /** The slot, and the host, which is empty if it is the same, and the port. */
    private static final Pattern ASK = Pattern.compile("ASK [0-9]+ (\\S*):([0-9]{1,5})");

    private Failures() {}

    /** Returns what went wrong, without what it was wrapped in on its way. */
    static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Returns whether the failure is an answer of the server, which has then changed nothing. */
    static boolean isAnswer(Throwable failure) {
        return failure instanceof RedisCommandExecutionException;
    }

    /** Returns whether the slot is at another server. */
    static boolean isMoved(Throwable failure) {
        return isAnswer(failure) && first(failure).equals("MOVED");
    }

    /**
     * Returns where a server sends those who ask for a key that is on its way to another one, or null if it does not.
     *
     * @param answer what the server answered
     * @param from that server, whose user, password and settings of TLS hold for the other one too
     */
    static @Nullable Place asked(Throwable answer, Place from) {
        Matcher ask = ASK.matcher(String.valueOf(answer.getMessage()));
        if (!isAnswer(answer) || !ask.matches()) {
            return null;
        }
        RedisURI.Builder uri = RedisURI.builder(from.uri()).withPort(Integer.parseInt(ask.group(2)));
        return Place.of((ask.group(1).isEmpty() ? uri : uri.withHost(ask.group(1))).build());
    }

    /** Returns whether the server is no primary any more. */
    static boolean isReadOnly(Throwable failure) {
        return isAnswer(failure) && first(failure).equals("READONLY");
    }

    /**
     * Returns the outcome of an operation whose command was sent.
     *
     * @param failure what the command ended with
     * @param writes whether the command could have changed something
     */
    static Throwable ofCommand(Throwable failure, boolean writes, int slot, Place place) {
        if (failure instanceof RefusedException || failure instanceof OutcomeUnknownException) {
            return failure;
        }
        if (failure instanceof RedisCommandExecutionException answer) {
            return ofAnswer(answer, slot, place);
        }
        if (failure instanceof Error) {
            return failure;
        }
        if (writes) {
            return unknown(failure instanceof RedisCommandTimeoutException ? Reason.TIMEOUT : Reason.CLOSED, place);
        }
        return refused(Kind.CLUSTER_DOWN, "the read was not answered: " + failure.getMessage(), slot, place);
    }

    /** Returns the outcome of an operation that was never sent, as there was no connection. */
    static RefusedException ofConnection(Throwable failure, int slot, Place place) {
        return refused(
                Kind.CLUSTER_DOWN, "no connection to " + place.node() + ": " + failure.getMessage(), slot, place);
    }

    /** Returns the outcome of a change that a server may have made. */
    static OutcomeUnknownException unknown(Reason reason, Place place) {
        return new OutcomeUnknownException(reason, place.shard(), place.node(), LogPosition.START);
    }

    /** Returns the outcome of a change that too few replicas have confirmed in time. */
    static OutcomeUnknownException unconfirmed(int acknowledged, Place place) {
        return new OutcomeUnknownException(
                Reason.TIMEOUT, place.shard(), place.node(), LogPosition.START, acknowledged);
    }

    /** Returns whether an operation failed because a key does not exist. */
    static boolean isMissingKey(Throwable outcome) {
        Throwable answer = outcome.getCause();
        return answer != null
                && isAnswer(answer)
                && String.valueOf(answer.getMessage()).endsWith("no such key");
    }

    private static RuntimeException ofAnswer(RedisCommandExecutionException answer, int slot, Place place) {
        String text = String.valueOf(answer.getMessage());
        Kind kind = kind(code(text));
        if (kind != null) {
            return refused(kind, text, slot, place);
        }
        if (text.contains("not an integer")) {
            return new NumberFormatException("value is not a number as the server writes it");
        }
        if (text.contains("would overflow")) {
            return new ArithmeticException("sum is no long");
        }
        if (text.contains("exceeds maximum allowed size")) {
            return new IllegalArgumentException("value would be longer than the server takes");
        }
        return new IllegalStateException("the server answered: " + text, answer);
    }

    private static @Nullable Kind kind(String code) {
        return switch (code) {
            case "CROSSSLOT" -> Kind.CROSS_SLOT;
            case "MOVED" -> Kind.MOVED;
            case "ASK", "TRYAGAIN" -> Kind.MOVING;
            case "CLUSTERDOWN", "MASTERDOWN", "LOADING", "MISCONF" -> Kind.CLUSTER_DOWN;
            case "READONLY" -> Kind.READ_ONLY;
            case "NOREPLICAS" -> Kind.TOO_FEW_REPLICAS;
            case "OOM" -> Kind.OUT_OF_MEMORY;
            case "BUSY" -> Kind.OVERLOADED;
            default -> null;
        };
    }

    private static String first(Throwable answer) {
        return code(String.valueOf(answer.getMessage()));
    }

    private static String code(String answer) {
        String text = answer.startsWith(ABORTED) ? answer.substring(ABORTED.length()) : answer;
        int end = text.indexOf(' ');
        return end < 0 ? text : text.substring(0, end);
    }

    static RefusedException refused(Kind kind, String message, int slot, Place place) {
        return new RefusedException(kind, message, slot, place.shard(), place.node(), null, -1);
    }
}
