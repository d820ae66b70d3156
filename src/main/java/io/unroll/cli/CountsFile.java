package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.storage.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The file of {@code --metrics}, in any file system: one JSON object. The constructor checks what it would replace. */
final class CountsFile {
    private static final String START = "{\"rows\":";

    private final Path path;
    private final FileSystem fs;

    /** @throws ConfigurationException if the file exists and has other content */
    CountsFile(String file, Configuration hadoop) {
        PathChecks.check("--metrics", file, hadoop);
        this.path = new Path(file);
        try {
            this.fs = path.getFileSystem(hadoop);
            if (fs.exists(path) && (fs.getFileStatus(path).isDirectory() || !hasCounts())) {
                throw new ConfigurationException(
                        "--metrics is " + file + ", which exists and is not a file of counts: give another name.");
            }
        } catch (IOException e) {
            throw new UnrollException("cannot read " + file + ": " + AtomicFile.reason(e), e);
        }
    }

    private boolean hasCounts() throws IOException {
        try (InputStream in = fs.open(path)) {
            return new String(in.readNBytes(START.length()), StandardCharsets.UTF_8).equals(START);
        }
    }

    void write(Object counts) {
        try {
            Path draft = new Path(path.getParent(), "." + path.getName() + "-draft");
            byte[] json = (JsonLine.of(counts) + "\n").getBytes(StandardCharsets.UTF_8);
            AtomicFile.write(fs, path, draft, out -> out.write(json));
        } catch (IOException e) {
            throw new UnrollException("cannot write " + path + ": " + AtomicFile.reason(e), e);
        }
    }
}
