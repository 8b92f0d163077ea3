package io.kvorum.testkit.junit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the tests of a class as JUnit does, and keeps what came of them. */
public final class Runs implements TestExecutionListener {
    private final List<String> succeeded = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, Throwable> failed = Collections.synchronizedMap(new LinkedHashMap<>());
    private final List<Map<String, String>> reports = Collections.synchronizedList(new ArrayList<>());

    private Runs() {}

    public static Runs of(Class<?> tests, String... parameters) {
        Runs runs = new Runs();
        LauncherDiscoveryRequestBuilder request =
                LauncherDiscoveryRequestBuilder.request().selectors(DiscoverySelectors.selectClass(tests));
        for (int i = 0; i < parameters.length; i += 2) {
            request.configurationParameter(parameters[i], parameters[i + 1]);
        }
        LauncherFactory.create().execute(request.build(), runs);
        return runs;
    }

    /** {@return the display names of the tests and classes that succeeded} */
    public List<String> succeeded() {
        return succeeded;
    }

    /** {@return what the tests and classes that failed have thrown, by display name} */
    public Map<String, Throwable> failed() {
        return failed;
    }

    /** {@return the report entries} */
    public List<Map<String, String>> reports() {
        return reports;
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) {
            if (test.isTest()) {
                succeeded.add(test.getDisplayName());
            }
        } else if (result.getStatus() == TestExecutionResult.Status.FAILED) {
            failed.put(test.getDisplayName(), result.getThrowable().orElseGet(AssertionError::new));
        }
    }

    @Override
    public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
        reports.add(entry.getKeyValuePairs());
    }
}
