package io.kvorum.resp;

import io.kvorum.core.Life;
import io.kvorum.core.SetOptions.Condition;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The options of SET and GETEX, read from the words of a call. Confined to one thread. */
final class ValueOptions {
    /** How the life of a value is given. */
    enum Unit {
        EX(1_000, false),
        PX(1, false),
        EXAT(1_000, true),
        PXAT(1, true);

        private final long millis;
        private final boolean absolute;

        Unit(long millis, boolean absolute) {
            this.millis = millis;
            this.absolute = absolute;
        }

        /** {@return the life that a word of a call gives} */
        Life life(Call call, int index) {
            long value = call.integer(index);
            boolean fits = value > 0 && value <= Long.MAX_VALUE / millis;
            if (!fits || (!absolute && value * millis > Long.MAX_VALUE - System.currentTimeMillis())) {
                throw new CommandException(
                        "ERR invalid expire time in '" + call.command().name() + "' command");
            }
            return absolute ? Life.until(value * millis) : new Life(Life.Kind.LASTING, value * millis);
        }
    }

    private final Call call;
    boolean get;
    private boolean keep;
    boolean persist;
    private Condition condition = Condition.ALWAYS;

    @Nullable
    Unit unit;

    private int life;

    private ValueOptions(Call call) {
        this.call = call;
    }

    static ValueOptions ofSet(Call call) {
        ValueOptions options = new ValueOptions(call);
        for (int i = 3; i < call.size(); i++) {
            switch (call.text(i).toUpperCase(Locale.ROOT)) {
                case "NX" -> options.only(Condition.IF_ABSENT);
                case "XX" -> options.only(Condition.IF_PRESENT);
                case "GET" -> options.get = true;
                case "KEEPTTL" -> {
                    if (options.unit != null) {
                        throw CommandException.syntax();
                    }
                    options.keep = true;
                }
                default -> options.lives(i++);
            }
        }
        options.life(); // which refuses a bad one
        return options;
    }

    static ValueOptions ofGetex(Call call) {
        ValueOptions options = new ValueOptions(call);
        for (int i = 2; i < call.size(); i++) {
            if (call.is(i, "PERSIST") && options.unit == null) {
                options.persist = true;
            } else {
                options.lives(i++);
            }
        }
        return options;
    }

    private void only(Condition value) {
        if (condition != Condition.ALWAYS && condition != value) {
            throw CommandException.syntax();
        }
        condition = value;
    }

    private void lives(int index) {
        if (keep || persist || index + 1 >= call.size()) {
            throw CommandException.syntax();
        }
        for (Unit candidate : Unit.values()) {
            if (call.is(index, candidate.name()) && (unit == null || unit == candidate)) {
                unit = candidate;
                life = index + 1;
                return;
            }
        }
        throw CommandException.syntax();
    }

    Condition condition() {
        return condition;
    }

    Life life() {
        return unit != null ? unit.life(call, life) : keep ? Life.kept() : Life.forever();
    }
}
