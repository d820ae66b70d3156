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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The entry point of {@code unroll.jar}. */
@Command(
        name = "unroll",
        description = "Trains recurrent neural networks on text, with Apache Spark.",
        subcommands = {
            PrepareCommand.class,
            TrainCommand.class,
            EvaluateCommand.class,
            ScoreCommand.class,
            PredictCommand.class,
            EmbedCommand.class,
            PublishCommand.class,
            GenerateCommand.class,
            InspectCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        },
        versionProvider = VersionProvider.class,
        mixinStandardHelpOptions = true)
public final class Main implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final int FAILED = 1;
    private static final int INVALID_INPUT = 2;

    private static volatile boolean interrupted;

    @Spec
    private CommandSpec command;

    private Main() {}

    public static void main(String[] arguments) {
        // Output is UTF-8 in every locale.
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        System.setErr(new ErrorStream(new FileOutputStream(FileDescriptor.err), () -> interrupted));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupted = true));
        Thread.setDefaultUncaughtExceptionHandler(Main::threadFailed);
        int status = execute(arguments);
        if (System.out.checkError()) {
            System.err.println("unroll: the output cannot be written.");
            status = FAILED;
        }
        if (status != 0) {
            // No System.exit after success: if an application master calls it, YARN reports a failure.
            System.exit(status);
        }
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                command.commandLine(),
                "no command is given; the commands are "
                        + String.join(", ", command.subcommands().keySet()));
    }

    /** @return the exit status of the process */
    static int execute(String... arguments) {
        Natives.liftLimits();
        try {
            return NumberOptions.registerIn(new CommandLine(new Main()))
                    .setCaseInsensitiveEnumValuesAllowed(true)
                    .setParameterExceptionHandler(Main::invalidArguments)
                    .setExecutionExceptionHandler(Main::failed)
                    .execute(arguments);
        } catch (Error e) {
            LOG.debug("failed", e);
            System.err.println("unroll: " + FailureMessage.sentence(e));
            return FAILED;
        }
    }

    /** Logs the failure, except during shutdown: stopping Spark makes its busy threads fail. */
    private static void threadFailed(Thread thread, Throwable e) {
        if (!interrupted) {
            LOG.warn("thread {} failed: {}", thread.getName(), e.toString(), e);
        }
    }

    private static int invalidArguments(CommandLine.ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        System.err.println("unroll: " + e.getMessage() + hint(e) + " (see "
                + command.getCommandSpec().qualifiedName() + " --help)");
        return INVALID_INPUT;
    }

    private static String hint(CommandLine.ParameterException e) {
        if (!(e instanceof CommandLine.UnmatchedArgumentException unmatched)) {
            return "";
        }
        List<String> suggestions = unmatched.getSuggestions();
        if (!suggestions.isEmpty()) {
            return "; did you mean " + String.join(" or ", suggestions) + "?";
        }
        boolean takesSettings = e.getCommandLine().getCommandSpec().positionalParameters().stream()
                .anyMatch(parameter -> parameter.paramLabel().equals("key=value"));
        return unmatched.isUnknownOption() && takesSettings
                ? "; write settings without --, such as training.epochs=3, and options of Spark before the command"
                : "";
    }

    private static int failed(Exception e, CommandLine command, CommandLine.ParseResult arguments) {
        LOG.debug("failed", e);
        if (interrupted) {
            System.err.println("unroll: interrupted.");
            return FAILED;
        }
        System.err.println("unroll: " + FailureMessage.sentence(e));
        return e instanceof ConfigurationException ? INVALID_INPUT : FAILED;
    }

    /** Writes UTF-8 to stderr and drops the stack traces that library threads print during shutdown. */
    static final class ErrorStream extends PrintStream {
        private final BooleanSupplier interrupted;

        ErrorStream(OutputStream out, BooleanSupplier interrupted) {
            super(out, true, StandardCharsets.UTF_8);
            this.interrupted = interrupted;
        }

        /** Called by {@link Throwable#printStackTrace()} for each line of a stack trace. */
        @Override
        public void println(Object line) {
            if (!interrupted.getAsBoolean()) {
                super.println(line);
            }
        }
    }
}
