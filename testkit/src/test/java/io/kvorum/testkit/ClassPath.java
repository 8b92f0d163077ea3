package io.kvorum.testkit;

import java.io.File;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;

/** Where another JVM finds what the tests have. */
public final class ClassPath {
    private ClassPath() {}

    /**
     * {@return the class path of a JVM that is to run a class of the tests}
     *
     * <p>Wherever classes are found here: on the class path, on the module path, or beside the module that they patch.
     *
     * @param type the class
     */
    public static String of(Class<?> type) {
        String name = type.getName().replace('.', '/') + ".class";
        URL file = type.getResource("/" + name);
        if (file == null) {
            throw new AssertionError("no " + name);
        }
        try {
            String path = Path.of(file.toURI()).toString();
            return String.join(
                    File.pathSeparator,
                    path.substring(0, path.length() - name.length()),
                    System.getProperty("java.class.path", ""),
                    System.getProperty("jdk.module.path", ""));
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
