package io.unroll.cli;

import io.unroll.Unroll.Output;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Runs the command line in the process of the test, with a local Spark; much faster than starting a process. */
public final class InProcess {
    private InProcess() {}

    public static Output unroll(String... arguments) {
        return unrollWithMaster("local[2]", arguments);
    }

    /** @param master a Spark master, as for {@code jobs/unroll --master} */
    public static Output unrollWithMaster(String master, String... arguments) {
        System.setProperty("spark.master", master);
        System.setProperty("spark.ui.enabled", "false");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream outBefore = System.out;
        PrintStream errBefore = System.err;
        try {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            int status = Main.execute(arguments);
            return new Output(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(outBefore);
            System.setErr(errBefore);
        }
    }
}
