package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.model.Natives;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The entry point of the job jar. */
@Command(
        name = "unroll",
        description = "Recurrent language models, trained on Apache Spark.",
        subcommands = {
            PrepareCommand.class,
            TrainCommand.class,
            EvaluateCommand.class,
            PublishCommand.class,
            GenerateCommand.class,
            InspectCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        },
        versionProvider = VersionProvider.class,
        mixinStandardHelpOptions = true)
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final int FAILED = 1;
    private static final int WRONG_USE = 2;

    private static volatile boolean interrupted;

    private Main() {}

    public static void main(String[] arguments) {
        // Text in and out is UTF-8, whatever the locale.
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        System.setErr(new Messages(new FileOutputStream(FileDescriptor.err), () -> interrupted));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupted = true));
        Thread.setDefaultUncaughtExceptionHandler(Main::threadFailed);
        int status = execute(arguments);
        if (System.out.checkError()) {
            System.err.println("unroll: the output cannot be written.");
            status = FAILED;
        }
        if (status != 0) {
            // Only then: on YARN, an application master that exits by itself counts as failed.
            System.exit(status);
        }
    }

    /** @return what the process exits with */
    static int execute(String... arguments) {
        Natives.liftLimits();
        try {
            return NumberOptions.of(new CommandLine(new Main()))
                    .setCaseInsensitiveEnumValuesAllowed(true)
                    .setParameterExceptionHandler(Main::wrongUse)
                    .setExecutionExceptionHandler(Main::failed)
                    .execute(arguments);
        } catch (Error e) {
            LOG.debug("failed", e);
            System.err.println("unroll: " + Failure.sentence(e));
            return FAILED;
        }
    }

    /** Spark's threads fail when it is stopped in the middle of their work. */
    private static void threadFailed(Thread thread, Throwable e) {
        if (!interrupted) {
            LOG.warn("the thread {} ended: {}", thread.getName(), e.toString(), e);
        }
    }

    private static int wrongUse(CommandLine.ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        System.err.println("unroll: " + e.getMessage() + suggestion(e) + " ("
                + command.getCommandSpec().qualifiedName() + " --help explains)");
        return WRONG_USE;
    }

    private static String suggestion(CommandLine.ParameterException e) {
        List<String> near =
                e instanceof CommandLine.UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
        return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    }

    private static int failed(Exception e, CommandLine command, CommandLine.ParseResult arguments) {
        LOG.debug("failed", e);
        if (interrupted) {
            System.err.println("unroll: interrupted.");
            return FAILED;
        }
        System.err.println("unroll: " + Failure.sentence(e));
        return e instanceof ConfigurationException ? WRONG_USE : FAILED;
    }

    /** Text on stderr, without the traces that libraries print of threads which end with the process. */
    static final class Messages extends PrintStream {
        private final BooleanSupplier interrupted;

        Messages(OutputStream out, BooleanSupplier interrupted) {
            super(out, true, StandardCharsets.UTF_8);
            this.interrupted = interrupted;
        }

        /** What {@link Throwable#printStackTrace()} calls for each of its lines. */
        @Override
        public void println(Object line) {
            if (!interrupted.getAsBoolean()) {
                super.println(line);
            }
        }
    }
}
