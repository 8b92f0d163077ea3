package io.kvorum.resp;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Commands with odd words, drawn from a seed: too few and too many words, numbers at and beyond the limits and in
 * notations that only some functions of C take, options in any order and twice, binary and empty keys. Their answers
 * depend on nothing but the commands before.
 */
final class OddCommands {
    private static final String KEYS = "a|b|c||k\0\u00ff|{a}1|{a}2|num|flt|10";
    /** Numbers none of which is a time that is over soon. */
    private static final String LARGE = "0|-1|9223372036854775807|-9223372036854775808|9223372036854775808"
            + "|-9223372036854775809|18446744073709551615|4294967296|2147483648|-2147483649|536870912|01|+1| 1|1 |1.0|"
            + "|-0|-|0x10|1e3|abc|9223372036854775|9223372036854776|99999999999999999999999999999|1\0|\u00ff";

    private static final String NUMBERS = "1|2|5|10|" + LARGE;
    private static final String FRACTIONS = "1e400|-1e4900|1e5000|1e-5000|nan|-nan|inf|-inf|+inf|Infinity|infi|0x10"
            + "|0x1p3|0x1.8p1|0x|1.|.5|.|-.5|1e|1e+2|1_000|1f|1d|0.1|3.0e3|5e-324|1e-17|1e-18|nan(1)|\t1|1\n|+-1"
            + "|123456789012345678901234567890|3.14159265358979323846|1.7976931348623157e308|" + NUMBERS;
    private static final String VALUES = "|v|10|-5|3.5|007| 10|1e5|9223372036854775807|\0\1\r\n\u00ff|inf|1.10|9999"
            + "|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    private static final String PATTERNS =
            "*|a*|?|[ab]|[^a]|\\a|[a-c]|[c-a]|[|[a|\\|**a||k*\u00ff|{a}?|*[|[]|[]a]|[^]|a\\";
    private static final String LIVES = "100000|1000000|" + LARGE;
    private static final String MOMENTS =
            "33177117420000|99999999999999|0|-1|9223372036854775807|9223372036854775|01|+1|1.0|";
    private static final String JUNK = "foo|NX|xx|GET||\u00ff|n\0x|KEEPTTL|EX|10|REPLACE|MATCH|COUNT";
    private static final String COMMANDS =
            "get|SET|mget|msetnx|foo||object|object|EXEC|rename|COPY|subscribe|spublish|config";
    private static final String FILTERS =
            "on|OFF|foo|yes|-1|999999|TYPE|ID|SKIPME|USER|bob|ADDR|1.2.3.4:1|LADDR|master|slave||ERROR|BCAST|PREFIX";

    /**
     * The forms of the commands: a word, {@code <key>} and the like, or {@code (word ...)} for some of the options that
     * follow, in any order.
     */
    private static final String[] FORMS = {
        "SET <k> <v>",
        "SET <k> <v> (NX XX GET KEEPTTL EX:<l> PX:<l> EXAT:<m> PXAT:<m> <j> EX)",
        "SET <k> <v> (NX XX GET KEEPTTL EX:<l> PX:<l> EXAT:<m> PXAT:<m> <j> EX)",
        "GETEX <k> (PERSIST EX:<l> PX:<l> EXAT:<m> PXAT:<m> <j>)",
        "GET <k>",
        "GETDEL <k>",
        "GETSET <k> <v>",
        "SETNX <k> <v>",
        "SETEX <k> <l> <v>",
        "PSETEX <k> <l> <v>",
        "APPEND <k> <v>",
        "STRLEN <k>",
        "GETRANGE <k> <n> <n>",
        "SUBSTR <k> <n> <n>",
        "SETRANGE <k> 3 <v>",
        "SETRANGE <k> 536870912 <v>",
        "SETRANGE <k> 9223372036854775807 <v>",
        "SETRANGE <k> -1 <v>",
        "INCR <k>",
        "DECR <k>",
        "INCRBY <k> <n>",
        "DECRBY <k> <n>",
        "INCRBYFLOAT <k> <f>",
        "INCRBYFLOAT flt <f>",
        "MGET <k> (<k> <k> <k>)",
        "MSET <k> <v> (<k> <v> <k> <v>)",
        "MSETNX <k> <v> (<k> <v> <k> <v>)",
        "DEL <k> (<k> <k>)",
        "UNLINK <k> (<k>)",
        "EXISTS <k> (<k> <k>)",
        "TOUCH <k> (<k>)",
        "TYPE <k>",
        "RENAME <k> <k>",
        "RENAMENX <k> <k>",
        "COPY <k> <k> (REPLACE DB:<n> DB:0 <j>)",
        "DBSIZE",
        "EXPIRE <k> <l> (NX XX GT LT <j>)",
        "PEXPIRE <k> <l> (NX XX GT LT <j>)",
        "EXPIREAT <k> <m> (NX XX GT LT <j>)",
        "PEXPIREAT <k> <m> (NX XX GT LT <j>)",
        "EXPIREAT <k> 1",
        "PERSIST <k>",
        "OBJECT REFCOUNT <j>",
        "OBJECT foo <k>",
        "OBJECT FREQ <k>",
        "MULTI",
        "MULTI",
        "EXEC",
        "EXEC",
        "DISCARD",
        "WATCH <k> (<k>)",
        "UNWATCH",
        "FLUSHALL (ASYNC SYNC <j>)",
        "SCAN 18446744073709551616 COUNT 1",
        "SCAN x MATCH <p>",
        "SCAN 0 TYPE list COUNT 9999999 MATCH <p>",
        "PING (<v> <v>)",
        "ECHO <v>",
        "SELECT <n>",
        "AUTH <v> (<v>)",
        "HELLO <f> (AUTH SETNAME)",
        "CLIENT SETNAME <j>",
        "CLIENT GETNAME",
        "CLIENT KILL ID 999999 (<c> <c> <c>)",
        "CLIENT LIST foo <c>",
        "CLIENT UNBLOCK <n> (<c> <c>)",
        "CLIENT TRACKING OFF (<c> <c>)",
        "CLIENT NO-EVICT <c>",
        "CLIENT foo <c>",
        "COMMAND GETKEYS <o> (<k> <k> <k>)",
        "COMMAND LIST FILTERBY <c>",
        "CONFIG GET time?ut",
        "CONFIG SET timeout <n> (timeout:0 maxmemory:1gb <j>)",
        "CONFIG <j>",
        "MEMORY USAGE absent (SAMPLES:<n> <j>)",
        "LATENCY (LATEST RESET HISTORY:<v> GRAPH:<v> foo)",
        "WAIT <n> x",
        "PUBSUB CHANNELS <p>",
        "PUBSUB (NUMPAT foo <v>)",
        "SLOWLOG foo <n>",
        "DEBUG <j>",
        "foo <v> <v>",
        "<v> <v>"
    };

    private final SplittableRandom random;

    OddCommands(long seed) {
        random = new SplittableRandom(seed);
    }

    /** {@return the words of a command} */
    String[] next() {
        List<String> words = new ArrayList<>();
        String form = FORMS[random.nextInt(FORMS.length)];
        int open = form.indexOf('(');
        addAll(open < 0 ? form : form.substring(0, open), words);
        if (open >= 0) {
            String[] options = form.substring(open + 1, form.indexOf(')')).split(" ", -1);
            for (int i = random.nextInt(4); i > 0; i--) {
                addAll(options[random.nextInt(options.length)].replace(':', ' '), words);
            }
            addAll(form.substring(form.indexOf(')') + 1), words);
        }
        if (random.nextInt(16) == 0) {
            words.add(oneOf(JUNK));
        } else if (words.size() > 1 && random.nextInt(16) == 0) {
            words.remove(words.size() - 1);
        }
        return words.toArray(String[]::new);
    }

    private void addAll(String form, List<String> words) {
        for (String part : form.split(" ", -1)) {
            switch (part) {
                case "" -> {}
                case "<k>" -> words.add(oneOf(KEYS));
                case "<v>" -> words.add(oneOf(VALUES));
                case "<n>" -> words.add(oneOf(NUMBERS));
                case "<f>" -> words.add(oneOf(FRACTIONS));
                case "<l>" -> words.add(oneOf(LIVES));
                case "<m>" -> words.add(oneOf(MOMENTS));
                case "<p>" -> words.add(oneOf(PATTERNS));
                case "<j>" -> words.add(oneOf(JUNK));
                case "<c>" -> words.add(oneOf(FILTERS));
                case "<o>" -> words.add(oneOf(COMMANDS));
                default -> words.add(inSomeCase(part));
            }
        }
    }

    private String oneOf(String choices) {
        String[] all = choices.split("\\|", -1);
        return all[random.nextInt(all.length)];
    }

    private String inSomeCase(String word) {
        return switch (random.nextInt(3)) {
            case 0 -> word.toLowerCase(Locale.ROOT);
            case 1 -> word.toUpperCase(Locale.ROOT);
            default -> word;
        };
    }
}
