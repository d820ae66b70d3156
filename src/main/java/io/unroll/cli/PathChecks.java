package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.io.IOException;
import java.net.UnknownHostException;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;

/** Checks, before a command does any work, that the file systems of its paths exist and respond. */
final class PathChecks {
    private PathChecks() {}

    /** @throws ConfigurationException if a file system is unknown or does not respond */
    static void check(Settings settings, Configuration hadoop) {
        check("run.directory", settings.run().directory(), hadoop);
        check("corpus.path", settings.corpus().path(), hadoop);
        check("corpus.prepared", settings.corpus().prepared(), hadoop);
        check("corpus.images", settings.corpus().images(), hadoop);
        check("model.image.network", settings.model().image().network(), hadoop);
        check("training.start-from", settings.training().startFrom(), hadoop);
    }

    static void check(String name, List<String> paths, Configuration hadoop) {
        paths.forEach(path -> check(name, path, hadoop));
    }

    /**
     * @param name the configuration key or the argument, for messages
     * @throws ConfigurationException if the file system is unknown or does not respond
     */
    static void check(String name, String path, Configuration hadoop) {
        if (path.isBlank()) {
            return;
        }
        FileSystem fs;
        try {
            fs = new Path(path).getFileSystem(hadoop);
        } catch (UnsupportedFileSystemException e) {
            throw problem(name, path, "no file system has this scheme: correct it", e);
        } catch (IOException | RuntimeException e) {
            throw problem(name, path, reason(e), e);
        }
        if (!(fs instanceof LocalFileSystem)) {
            try {
                fs.exists(new Path(path));
            } catch (IOException | RuntimeException e) {
                throw problem(
                        name,
                        path,
                        fs.getUri() + " does not answer (" + rootLine(e)
                                + "): start or correct it, or correct the path",
                        e);
            }
        }
    }

    private static String reason(Exception e) {
        Throwable root = ExceptionUtils.getRootCause(e);
        if (root instanceof ClassNotFoundException) {
            return "the module for this scheme is missing (" + rootLine(e)
                    + "): add it, as docs/guide/clusters.md shows for s3a://";
        }
        if (root instanceof UnknownHostException) {
            return "the host name " + root.getMessage() + " cannot be resolved: correct the name or the DNS";
        }
        return "the path cannot be used (" + rootLine(e) + "): correct it";
    }

    private static String rootLine(Exception e) {
        return FailureMessage.firstLine(ExceptionUtils.getRootCause(e));
    }

    private static ConfigurationException problem(String name, String path, String reason, Exception e) {
        return new ConfigurationException(name + " is " + path + ", and " + reason + ".", e);
    }
}
