package io.kvorum.testkit.junit;

import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.util.function.Function;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

/** Makes the states that a test names by their class. */
final class States {
    private States() {}

    /** {@return what makes a state of a node's log, by the constructor of a class} */
    static Function<ReplicationLog, ReplicatedState> constructor(Class<? extends ReplicatedState> state) {
        String rule =
                "state must be a concrete class with a constructor that takes a ReplicationLog, in a package open to"
                        + " io.kvorum.testkit: " + state.getName();
        Constructor<? extends ReplicatedState> constructor;
        try {
            constructor = state.getDeclaredConstructor(ReplicationLog.class);
        } catch (NoSuchMethodException e) {
            throw new ExtensionConfigurationException(rule, e);
        }
        if (Modifier.isAbstract(state.getModifiers()) || !constructor.trySetAccessible()) {
            throw new ExtensionConfigurationException(rule);
        }
        return log -> make(constructor, log);
    }

    private static ReplicatedState make(Constructor<? extends ReplicatedState> constructor, ReplicationLog log) {
        try {
            return constructor.newInstance(log);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            } else if (e.getCause() instanceof Error thrown) {
                throw thrown;
            }
            throw new IllegalStateException("the constructor of a state has thrown", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(
                    "state could not be made: "
                            + constructor.getDeclaringClass().getName(),
                    e);
        }
    }
}
