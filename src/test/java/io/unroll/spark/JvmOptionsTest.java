package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.List;
import org.apache.spark.launcher.JavaModuleOptions;
import org.junit.jupiter.api.Test;

/** The JVM options in pom.xml, with which jobs/unroll and the tests start Java. */
class JvmOptionsTest {
    /** It prints a warning at each start, and only MLlib's linear algebra uses it. */
    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    @Test
    void areThoseThatSparksLauncherAdds() {
        List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments();
        for (String option : JavaModuleOptions.defaultModuleOptions().split(" ")) {
            assertTrue(option.equals(VECTORS) || options.contains(option), option + " in " + options);
        }
    }
}
