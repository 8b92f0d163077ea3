package io.kvorum.resp;

import io.kvorum.resp.PubSub.Kind;
import java.util.List;
import java.util.Set;

/** Messages on channels. Those of a node reach the subscribers at every node that hears of it. */
final class PubSubCommands {
    static final Set<String> SENDING = Set.of("publish", "spublish");

    static final Set<String> OF_SUBSCRIBERS = Set.of(
            "subscribe",
            "unsubscribe",
            "psubscribe",
            "punsubscribe",
            "ssubscribe",
            "sunsubscribe",
            "ping",
            "quit",
            "reset");

    private PubSubCommands() {}

    static void addTo(CommandTable table) {
        table.add(
                "pubsub",
                Command.of(
                        "psubscribe",
                        -2,
                        "pubsub noscript loading stale",
                        "",
                        "Subscribes to channels by patterns",
                        "2.0.0",
                        PubSubCommands::psubscribe));
        table.add(
                "pubsub",
                Command.of(
                        "publish",
                        3,
                        "pubsub loading stale fast",
                        "",
                        "Sends a message to a channel",
                        "2.0.0",
                        PubSubCommands::publish));
        table.container(
                "pubsub",
                "pubsub",
                "",
                "Tells about channels and subscribers",
                "2.8.0",
                Command.of(
                        "channels",
                        -2,
                        "pubsub loading stale",
                        "",
                        "Lists the channels that have subscribers",
                        "2.8.0",
                        PubSubCommands::pubsubChannels),
                Command.of(
                        "help", 2, "loading stale", "", "Lists the subcommands", "6.2.0", PubSubCommands::pubsubHelp),
                Command.of(
                        "numpat",
                        2,
                        "pubsub loading stale",
                        "",
                        "Counts the subscribed patterns",
                        "2.8.0",
                        PubSubCommands::pubsubNumpat),
                Command.of(
                        "numsub",
                        -2,
                        "pubsub loading stale",
                        "",
                        "Counts the subscribers of channels",
                        "2.8.0",
                        PubSubCommands::pubsubNumsub),
                Command.of(
                        "shardchannels",
                        -2,
                        "pubsub loading stale",
                        "",
                        "Lists the channels of the shard that have subscribers",
                        "7.0.0",
                        PubSubCommands::pubsubShardchannels),
                Command.of(
                        "shardnumsub",
                        -2,
                        "pubsub loading stale",
                        "",
                        "Counts the subscribers of channels of the shard",
                        "7.0.0",
                        PubSubCommands::pubsubShardnumsub));
        table.add(
                "pubsub",
                Command.of(
                        "punsubscribe",
                        -1,
                        "pubsub noscript loading stale",
                        "",
                        "Ends subscriptions by pattern",
                        "2.0.0",
                        PubSubCommands::punsubscribe));
        table.add(
                "pubsub",
                Command.of(
                        "spublish",
                        3,
                        "pubsub loading stale fast",
                        "1 1 1 not_key",
                        "Sends a message to a channel of the shard",
                        "7.0.0",
                        PubSubCommands::spublish));
        table.add(
                "pubsub",
                Command.of(
                        "ssubscribe",
                        -2,
                        "pubsub noscript loading stale",
                        "1 -1 1 not_key",
                        "Subscribes to channels of the shard",
                        "7.0.0",
                        PubSubCommands::ssubscribe));
        table.add(
                "pubsub",
                Command.of(
                        "subscribe",
                        -2,
                        "pubsub noscript loading stale",
                        "",
                        "Subscribes to channels",
                        "2.0.0",
                        PubSubCommands::subscribe));
        table.add(
                "pubsub",
                Command.of(
                        "sunsubscribe",
                        -1,
                        "pubsub noscript loading stale",
                        "1 -1 1 not_key",
                        "Ends subscriptions to channels of the shard",
                        "7.0.0",
                        PubSubCommands::sunsubscribe));
        table.add(
                "pubsub",
                Command.of(
                        "unsubscribe",
                        -1,
                        "pubsub noscript loading stale",
                        "",
                        "Ends subscriptions to channels",
                        "2.0.0",
                        PubSubCommands::unsubscribe));
    }

    /** {@return whether a connection that has subscribed may use a command in the older protocol} */
    static boolean mayBeUsedBySubscribers(Command command) {
        return command.traits().ofSubscribers();
    }

    static void subscribe(Call call) {
        subscribe(call, Kind.CHANNEL);
    }

    static void psubscribe(Call call) {
        subscribe(call, Kind.PATTERN);
    }

    static void ssubscribe(Call call) {
        if (call.session().executing) {
            throw new CommandException("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
        }
        subscribe(call, Kind.SHARD);
    }

    private static void subscribe(Call call, Kind kind) {
        for (int i = 1; i < call.size(); i++) {
            call.endpoint().pubSub().subscribe(kind, call.connection(), call.text(i));
        }
    }

    static void unsubscribe(Call call) {
        unsubscribe(call, Kind.CHANNEL);
    }

    static void punsubscribe(Call call) {
        unsubscribe(call, Kind.PATTERN);
    }

    static void sunsubscribe(Call call) {
        unsubscribe(call, Kind.SHARD);
    }

    private static void unsubscribe(Call call, Kind kind) {
        if (call.size() == 1) {
            call.endpoint().pubSub().unsubscribeAll(kind, call.connection());
        }
        for (int i = 1; i < call.size(); i++) {
            call.endpoint().pubSub().unsubscribe(kind, call.connection(), call.text(i));
        }
    }

    private static void publish(Call call) {
        call.out().integer(call.node().cluster().publish(call.node(), call.text(1), call.arg(2)));
    }

    private static void spublish(Call call) {
        call.out().integer(call.node().cluster().publishToShard(call.node(), call.text(1), call.arg(2)));
    }

    static void pubsubChannels(Call call) {
        channels(call, Kind.CHANNEL);
    }

    static void pubsubShardchannels(Call call) {
        channels(call, Kind.SHARD);
    }

    private static void channels(Call call, Kind kind) {
        if (call.size() > 3) {
            throw CommandException.subcommand(call);
        }
        List<String> channels = call.endpoint().pubSub().channels(kind, call.size() > 2 ? call.text(2) : "*");
        call.out().array(channels.size());
        channels.forEach(channel -> call.out().bulk(Text.bytes(channel)));
    }

    static void pubsubNumsub(Call call) {
        subscribers(call, Kind.CHANNEL);
    }

    static void pubsubShardnumsub(Call call) {
        subscribers(call, Kind.SHARD);
    }

    private static void subscribers(Call call, Kind kind) {
        call.out().array((call.size() - 2) * 2);
        for (int i = 2; i < call.size(); i++) {
            call.out().bulk(call.arg(i));
            call.out().integer(call.endpoint().pubSub().subscribers(kind, call.text(i)));
        }
    }

    static void pubsubNumpat(Call call) {
        call.out().integer(call.endpoint().pubSub().patterns());
    }

    static void pubsubHelp(Call call) {
        Help.answer(
                call,
                "CHANNELS [<pattern>]",
                "NUMPAT",
                "NUMSUB [<channel> ...]",
                "SHARDCHANNELS [<pattern>]",
                "SHARDNUMSUB [<shardchannel> ...]");
    }
}
