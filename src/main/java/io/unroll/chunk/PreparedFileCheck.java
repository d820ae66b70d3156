package io.unroll.chunk;

import io.unroll.config.UnrollException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Checks a file of a prepared corpus before it is used: reads it once and compares checksums. */
public final class PreparedFileCheck {
    private PreparedFileCheck() {}

    interface Content {
        /** @throws InvalidContentException if the content is not problem was written */
        void read(InputStream in, long length) throws IOException;
    }

    static final class InvalidContentException extends IOException {
        private static final long serialVersionUID = 1;

        InvalidContentException(String message) {
            super(message);
        }
    }

    /**
     * @param checksum CRC-32C of the file; null if an earlier version wrote it
     * @return a description of problem is wrong with the file; empty if it is valid
     */
    static String problem(String folder, String file, Long checksum, Configuration hadoop, Content content)
            throws IOException {
        Path path = new Path(folder, file);
        FileSystem fs = path.getFileSystem(hadoop);
        CRC32C actual = new CRC32C();
        try (InputStream in = new CheckedInputStream(fs.open(path), actual)) {
            content.read(in, fs.getFileStatus(path).getLen());
        } catch (FileNotFoundException e) {
            return file + " is missing";
        } catch (EOFException e) {
            return file + " is shorter than its index says";
        } catch (ChecksumException | InvalidContentException e) {
            return file + " is damaged: " + e.getMessage();
        }
        return checksum == null || checksum == actual.getValue() ? "" : file + " has changed since it was written";
    }

    /** Rejects names that lead to another folder. */
    static boolean isValidName(String file) {
        return file != null && file.matches("\\w[\\w.-]*");
    }

    /** @return the exception for a file that passed its check and could not be read later */
    static UnrollException readFailure(Path file, IOException e) {
        String problem = e instanceof FileNotFoundException
                ? " is missing. Set corpus.prepared to a folder that every machine of the cluster can read; if it is, "
                : e instanceof EOFException
                        ? " is shorter than its index says: "
                        : " is damaged, " + e.getMessage() + ": ";
        return new UnrollException(
                file + problem + "delete " + file.getParent() + " and run again; this prepares the corpus again.", e);
    }
}
