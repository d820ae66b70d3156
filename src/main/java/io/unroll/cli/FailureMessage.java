package io.unroll.cli;

import io.unroll.config.UnrollException;
import io.unroll.kernel.NativeLibraries;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Describes a failure to the user in one sentence, without a stack trace. */
final class FailureMessage {
    private static final Logger LOG = LoggerFactory.getLogger(FailureMessage.class);
    private static final Pattern LOST_TASK =
            Pattern.compile("Lost task \\S+ in stage \\S+ \\(TID \\d+\\) \\((\\S+) executor [^)]*\\): (.*)");

    private FailureMessage() {}

    /**
     * @return the message of an {@link UnrollException}; for other exceptions, the cause, a remedy if one is known, and
     *     the file with the stack trace
     */
    static String sentence(Throwable failure) {
        return failure instanceof UnrollException ? failure.getMessage() : reason(failure) + trace(failure);
    }

    private static String reason(Throwable failure) {
        List<Throwable> causes = ExceptionUtils.getThrowableList(failure);
        Throwable root = causes.get(causes.size() - 1);
        if (causes.stream().anyMatch(OutOfMemoryError.class::isInstance)) {
            return "there is not enough memory (" + firstLine(root) + "; the maximum Java heap is "
                    + (Runtime.getRuntime().maxMemory() >> 20)
                    + " MiB): increase it, for example jobs/unroll --driver-memory 4g ...";
        }
        if (causes.stream().anyMatch(FailureMessage::isNativeLibraryFailure)) {
            return "the native libraries do not load " + NativeLibraries.loadFailure(failure);
        }
        if (root instanceof UnknownHostException) {
            return "the host name " + root.getMessage() + " cannot be resolved: correct the name or the DNS";
        }
        if (firstLine(root).contains("No space left on device")) {
            return "a disk is full (" + firstLine(failure) + "): free space on it";
        }
        Matcher task = LOST_TASK.matcher(firstLine(root));
        return task.find()
                ? "a task failed on " + task.group(1) + ": " + task.group(2)
                : root.getClass().getSimpleName() + (root.getMessage() == null ? "" : ": " + firstLine(root));
    }

    private static boolean isNativeLibraryFailure(Throwable cause) {
        return cause instanceof UnsatisfiedLinkError
                || firstLine(cause).matches("Could not initialize class org\\.(nd4j|bytedeco)\\..*");
    }

    static String firstLine(Throwable failure) {
        return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
    }

    /** Writes the stack trace to a file that can be attached to a bug report; in cluster mode, to the driver's log. */
    private static String trace(Throwable failure) {
        if (System.getProperty("spark.submit.deployMode", "client").equals("cluster")) {
            LOG.error("failed", failure);
            return " (the stack trace is in the driver's log)";
        }
        try {
            Path file = Files.createTempFile("unroll-", ".log");
            Files.writeString(file, ExceptionUtils.getStackTrace(failure));
            return " (the stack trace is in " + file + ")";
        } catch (IOException e) {
            LOG.debug("failed", failure);
            return "";
        }
    }
}
