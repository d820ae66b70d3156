package io.unroll.spark;

import io.unroll.checkpoint.Versions;
import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.EOFException;
import java.io.IOException;
import java.time.DateTimeException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;

/** Turns the exceptions of Spark's readers into sentences. */
final class SparkErrors {
    private static final Pattern FILE = Pattern.compile("[Ee]rror while reading file (\\S+?)\\.? ");
    private static final Pattern EXPLAINED =
            Pattern.compile("io\\.unroll\\.(?:config\\.\\w+|text\\.\\w+)Exception: (.*)");

    private static final String SPARK_VERSION = Versions.all().get("spark");
    private static final String SCALA = version(scala.util.Properties.versionNumberString());
    /** The newest version of Delta for a version of Spark. */
    private static final Map<String, String> DELTA_OF_SPARK = Map.of("3.5", "3.3.2", "4.0", "4.0.0", "4.1", "4.1.0");

    private static final String DELTA = DELTA_OF_SPARK.getOrDefault(version(SPARK_VERSION), "VERSION");

    private static final Pattern MISSING_FORMAT = Pattern.compile("Failed to find (?:the )?data source: (\\S+)\\. ");
    private static final String DELTA_SETTINGS_MISSING = "DELTA_CONFIGURE_SPARK_SESSION_WITH_EXTENSION_AND_CATALOG";
    /** Advice by format. */
    private static final Map<String, String> PACKAGES = Map.of(
            "avro",
            "Add its package: jobs/unroll --packages org.apache.spark:spark-avro_" + SCALA + ":" + SPARK_VERSION
                    + " ...",
            "delta",
            "Add its package and its settings: jobs/unroll --packages io.delta:delta-spark_" + SCALA + ":" + DELTA
                    + " --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"
                    + " --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog ...");

    /** SQLSTATEs of errors in the values of rows: invalid casts, overflows, divisions by zero, wrong indexes and dates. */
    private static final Pattern VALUE_ERROR = Pattern.compile("22\\w{3}|42K0B|P0001");

    private static final Pattern ANSI_OFF =
            Pattern.compile(" If necessary,? set \\S*spark\\.sql\\.ansi\\.enabled\\S* to \\S+ to bypass this error\\.");
    private static final int MAX_FRAGMENT_SHOWN = 100;
    private static final int MAX_ERROR_SHOWN = 500;

    private static final String OTHER_PACKAGE = "Correct the name, or add the package of the format: jobs/unroll"
            + " --packages GROUP:ARTIFACT:VERSION ...";

    private SparkErrors() {}

    /** @return the first two numbers of a version */
    private static String version(String version) {
        return version.replaceFirst("^(\\d+\\.\\d+).*", "$1");
    }

    /**
     * Plans a query, which Spark does on the driver.
     *
     * @param origin the path, table or query that is read, for messages
     * @throws ConfigurationException if Spark rejects it
     */
    static <T> T analyze(String origin, Callable<T> query) {
        try {
            return query.call();
        } catch (Exception e) {
            if (e instanceof UnrollException explained) {
                throw explained;
            }
            throw new ConfigurationException(origin + " cannot be read: " + reason(e), e);
        }
    }

    /**
     * Computes rows, on the driver or in a task.
     *
     * @param origin the table or query that is read, for messages
     * @throws UnrollException if an expression of a query fails at a value, which most do in Spark's ANSI mode only
     */
    static <T> T read(String origin, Supplier<T> rows) {
        try {
            return rows.get();
        } catch (Exception e) {
            valueError(e).ifPresent(error -> {
                throw new UnrollException(origin + ": " + error, e);
            });
            throw e;
        }
    }

    /**
     * Writes results.
     *
     * @param output option that names it, for messages
     * @throws ConfigurationException if Spark rejects the output
     * @throws UnrollException if the input or the output fails
     */
    static void write(String output, Runnable write) {
        try {
            write.run();
        } catch (Exception e) {
            if (e instanceof AnalysisException || e instanceof ClassNotFoundException) {
                throw new ConfigurationException(output + " cannot be written: " + reason(e), e);
            }
            valueError(e).ifPresent(error -> {
                throw new UnrollException(output + " was not written: " + error, e);
            });
            throw ofJob(e);
        }
    }

    /** @return the expression that fails at a value, why, and how to correct it; empty for other errors */
    private static Optional<String> valueError(Exception e) {
        return (e instanceof UnrollException ? Stream.<Throwable>empty() : ExceptionUtils.getThrowableList(e).stream())
                .filter(SparkErrors::isValueError)
                .findFirst()
                .map(SparkErrors::valueError);
    }

    /** Some errors of Spark 3.5 have no SQLSTATE. */
    private static boolean isValueError(Throwable e) {
        return e instanceof SparkThrowable spark
                && (e instanceof ArithmeticException
                        || e instanceof DateTimeException
                        || VALUE_ERROR
                                .matcher(String.valueOf(spark.getSqlState()))
                                .matches());
    }

    private static String valueError(Throwable e) {
        String expression = Stream.of(((SparkThrowable) e).getQueryContext())
                .findFirst()
                .map(context -> StringUtils.normalizeSpace(context.fragment()))
                .filter(fragment -> !fragment.isEmpty())
                .map(fragment -> StringUtils.abbreviate(fragment, MAX_FRAGMENT_SHOWN) + " fails: ")
                .orElse("");
        String message = StringUtils.normalizeSpace(
                String.valueOf(e.getMessage()).split("\n== ", 2)[0].replaceFirst("^\\[[\\w.]+] ", ""));
        boolean isAnsi = message.contains("spark.sql.ansi.enabled") || message.contains("return NULL instead");
        String problem =
                ANSI_OFF.matcher(message.replaceFirst(" SQLSTATE: \\w+$", "")).replaceAll("");
        return expression
                + StringUtils.abbreviateMiddle(problem, " ... ", MAX_ERROR_SHOWN)
                + (isAnsi ? " Or turn off Spark's ANSI mode: --conf spark.sql.ansi.enabled=false." : "");
    }

    /**
     * Reads rows in a task.
     *
     * @throws UnrollException if a file cannot be read, and a retry cannot help
     */
    static <T> T explained(Callable<T> task) throws Exception {
        try {
            return task.call();
        } catch (Exception e) {
            throw explanation(e);
        }
    }

    /** @return the exception of a failed job: that of the task, if it has an explanation */
    static RuntimeException ofJob(Exception e) {
        if (e instanceof RuntimeException unexpected) {
            return unexpected;
        }
        Matcher explained = EXPLAINED.matcher(String.valueOf(e.getMessage()));
        return explained.find() ? new UnrollException(explained.group(1), e) : ExceptionUtils.rethrow(e);
    }

    /** @return {@code e} if a retry may help, such as after the loss of a machine */
    private static Exception explanation(Exception e) throws Exception {
        for (Throwable cause : ExceptionUtils.getThrowableList(e)) {
            if (cause instanceof UnrollException explained) {
                return explained;
            }
        }
        Matcher file = FILE.matcher(
                ExceptionUtils.getThrowableList(e).stream()
                                .map(Throwable::getMessage)
                                .collect(Collectors.joining(" ")) + " ");
        if (!file.find()) {
            return e;
        }
        Throwable root = ExceptionUtils.getRootCause(e);
        boolean mayRecover = root instanceof IOException
                && !(root instanceof EOFException || root instanceof ChecksumException)
                && !file.group(1).startsWith("file:");
        return mayRecover
                ? e
                : new UnrollException(
                        file.group(1) + " cannot be read: " + ExceptionUtils.getMessage(root)
                                + ". Write the file again, or exclude it from corpus.path.",
                        e);
    }

    /** @return why Spark rejects a query and, if the package of a format is missing, how to add it */
    private static String reason(Exception e) {
        String message = String.valueOf(e.getMessage());
        Matcher missing = MISSING_FORMAT.matcher(message);
        if (missing.find()) {
            String format = missing.group(1);
            return "this Spark has no format " + format + ". "
                    + (format.matches("jsonl|ndjson")
                            ? "Set corpus.format = json, which is a JSON object per line."
                            : PACKAGES.getOrDefault(format, OTHER_PACKAGE));
        }
        return message.contains(DELTA_SETTINGS_MISSING)
                ? "the session lacks the two settings of Delta. " + PACKAGES.get("delta")
                : firstSentence(e) + ".";
    }

    private static String firstSentence(Throwable e) {
        String message = e instanceof AnalysisException analysis ? analysis.getSimpleMessage() : e.getMessage();
        return String.valueOf(message).lines().findFirst().orElse("").replaceFirst("[.;:]?\\s*$", "");
    }
}
