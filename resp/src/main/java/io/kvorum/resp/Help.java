package io.kvorum.resp;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Answers HELP of a container of commands. */
final class Help {
    private Help() {}

    static void answer(Call call, String... subcommands) {
        String container = call.text(0).toUpperCase(Locale.ROOT);
        List<String> lines = new ArrayList<>();
        lines.add(container + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        lines.addAll(List.of(subcommands));
        lines.add("HELP");
        call.out().array(lines.size());
        lines.forEach(call.out()::simple);
    }
}
