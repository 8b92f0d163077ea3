package io.kvorum.testkit.model;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.kvorum.testkit.model.Shape.Focus;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The rules of the protocols under random schedules: all of them together are enough, and each of them is needed.
 *
 * <p>{@code -Dkvorum.model.schedules=N} runs N schedules, {@code -Dkvorum.model.first=S} the ones from seed S on;
 * {@code -Dkvorum.model.seed=S} replays one and prints its timeline.
 */
@Tag("long")
final class ModelTest {
    private static final long SCHEDULES = Long.getLong("kvorum.model.schedules", 30_000);
    private static final long FIRST = Long.getLong("kvorum.model.first", 1);
    private static final long ENOUGH = 1_000;
    private static final long COVERED_SCHEDULES = 500;
    private static final @Nullable Long SEED = Long.getLong("kvorum.model.seed");

    @Test
    void allRulesTogetherAreEnough() {
        if (SEED != null) {
            List<String> timeline = new ArrayList<>();
            String violation = Model.replay(SEED, Focus.MIXED, Rules.all(), timeline);
            timeline.forEach(System.out::println);
            assertNull(violation);
            return;
        }
        Coverage coverage = new Coverage();
        for (long seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
            assertNull(Model.run(seed, Focus.MIXED, Rules.all(), coverage));
        }
        System.out.println(coverage);
        assertTrue(coverage.isComplete() || SCHEDULES < 10_000, coverage::toString);
    }

    /** The seeds from which on a violation comes soon: some rules are needed in one schedule of ten thousand only. */
    @ParameterizedTest
    @CsvSource({
        "REFUSE_LOWER_EPOCHS,       FIGHTS,             1",
        "KEEP_PROMISES,             LOSSES,             10000",
        "ONE_ATTEMPT_PER_PROMISE,   ANYTHING,           2500",
        "DRAW_ROUNDS,               NEW_BEGINNINGS,     1",
        "COUNT_COMPLETE_MEMBERS,    LOSSES,             1",
        "COUNT_OWN_ANSWERS,         LOSSES,             1",
        "REFUSALS_DO_NOT_COUNT,     CHANGES_OF_MEMBERS, 5500",
        "NEWEST_LIST,               CHANGES_OF_MEMBERS, 1",
        "GREATEST_POSITION,         FIGHTS,             1",
        "CHOOSE_FROM_BOTH_LISTS,    CHANGES_OF_MEMBERS, 4000",
        "ONE_PROMOTION,             FIGHTS,             1",
        "PROMOTE_AS_PROMISED,       FIGHTS,             1",
        "APPEND_IN_ORDER,           FIGHTS,             1",
        "ACK_IN_HISTORY,            FIGHTS,             1",
        "COMMIT_OWN_BEGIN,          FIGHTS,             1500",
        "LEARN_IN_EPOCH,            FIGHTS,             1",
        "SYNC_ONE_LIFE,             LOSSES,             141500",
        "SYNC_NEVER_BACK,           LOSSES,             7000",
        "SYNC_FORGETS_COMMITTED,    NEW_BEGINNINGS,     128500",
        "COUNT_INCARNATIONS,        LOSSES,             2000",
        "JOINT_MAJORITIES,          CHANGES_OF_MEMBERS, 1",
        "ONE_CHANGE_AT_A_TIME,      CHANGES_OF_MEMBERS, 1",
        "BOOTSTRAP_ASKS_THE_FENCED, BEGINNINGS,         34000",
        "KEEP_BEGUN,                ANYTHING,           1",
        "BEGIN_NAMES_INCARNATION,   BEGINNINGS,         40500",
        "BEGIN_ANEW_LISTS_ONE,      NEW_BEGINNINGS,     112000",
        "BEGIN_NAMES_MEMBERS,       NEW_BEGINNINGS,     10000",
        "BEGIN_USES_PROMISE,        NEW_BEGINNINGS,     1"
    })
    void eachRuleIsNeeded(Rule rule, Focus focus, long from) {
        assertFound(EnumSet.of(rule), focus, from);
    }

    /** Rules that cover for each other: both off break what one off does not. */
    @ParameterizedTest
    @CsvSource({
        "NUMBER_IN_EPOCH, ONE_ATTEMPT_PER_PROMISE, ONE_SENTINEL_PER_PROMISE",
        "ASK_A_MAJORITY, ONE_ATTEMPT_PER_PROMISE, ONE_ATTEMPT_PER_PROMISE",
        "PROMOTE_AT_POSITION, PROMOTE_ONCE, PROMOTE_ONCE"
    })
    void someRulesCoverForEachOther(Rule rule, Rule cover, Rule otherCover) {
        assertFound(EnumSet.of(rule, cover, otherCover), Focus.FIGHTS, 1);
    }

    /**
     * Rules that no schedule needs, for the reasons that docs/design.md gives. If a change of the model makes one of
     * them necessary, the design has changed.
     */
    @ParameterizedTest
    @CsvSource({
        "NUMBER_IN_EPOCH, FIGHTS",
        "ONE_SENTINEL_PER_PROMISE, FIGHTS",
        "ASK_A_MAJORITY, FIGHTS",
        "ASK_COMPLETE_MEMBERS, CHANGES_OF_MEMBERS",
        "PROMOTE_AT_POSITION, FIGHTS",
        "PROMOTE_ONCE, FIGHTS",
        "ACK_ONE_LIFE, LOSSES",
        "CHANGE_AFTER_BEGIN, CHANGES_OF_MEMBERS",
        "BOOTSTRAP_FENCES_ALL, BEGINNINGS"
    })
    void someRulesAreCovered(Rule rule, Focus focus) {
        for (long seed = 1; seed <= COVERED_SCHEDULES; seed++) {
            assertNull(Model.run(seed, focus, Rules.without(EnumSet.of(rule)), new Coverage()));
        }
    }

    private static void assertFound(Set<Rule> off, Focus focus, long from) {
        Rules rules = Rules.without(off);
        for (long seed = from; seed < from + ENOUGH; seed++) {
            if (Model.run(seed, focus, off.size() > 1 ? rules.withDistinctSentinels() : rules, new Coverage())
                    != null) {
                return;
            }
        }
        fail(rules + ": nothing broke in " + ENOUGH + " schedules");
    }
}
