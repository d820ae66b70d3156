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

/** A file of a prepared corpus, which is read once through before it is used. */
public final class PreparedFile {
    private PreparedFile() {}

    interface Content {
        /** @throws DamagedException where it is not as it was written */
        void read(InputStream in, long length) throws IOException;
    }

    /** The file is not as it was written. */
    static final class DamagedException extends IOException {
        private static final long serialVersionUID = 1;

        DamagedException(String message) {
            super(message);
        }
    }

    /**
     * @param checksum CRC-32C of the file; null where an earlier version has prepared it
     * @return what is wrong with the file; empty where nothing is
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
        } catch (ChecksumException | DamagedException e) {
            return file + " is damaged: " + e.getMessage();
        }
        return checksum == null || checksum == actual.getValue() ? "" : file + " has changed since it was written";
    }

    /** A name that leads to another folder is none that Unroll has given. */
    static boolean isName(String file) {
        return file != null && file.matches("\\w[\\w.-]*");
    }

    /** @return what the reading of a file that has passed its check says where it fails */
    static UnrollException unreadable(Path file, IOException e) {
        String what = e instanceof FileNotFoundException
                ? " is missing. Set corpus.prepared to a folder that every machine of the cluster can read; if it is "
                        + "one, "
                : e instanceof EOFException
                        ? " is shorter than its index says: "
                        : " is damaged, " + e.getMessage() + ": ";
        return new UnrollException(
                file + what + "delete " + file.getParent() + " and run again, to prepare the corpus again.", e);
    }
}
