package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.task.Task;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The disk becomes full while a corpus is prepared. */
class FullDiskIT {
    private static final String FILE_SYSTEM = "spark.hadoop.fs.file.impl";
    private static final String FULL = "No space left on device";

    private static volatile String fullForPrefix;
    private static volatile boolean asError;

    @TempDir
    private static Path folder;

    private static Session session;

    /** Local file system that reports a full disk for files whose names have a given prefix. */
    static final class FullFileSystem extends LocalFileSystem {
        @Override
        public FSDataOutputStream create(
                org.apache.hadoop.fs.Path path,
                FsPermission permission,
                boolean overwrite,
                int buffer,
                short replication,
                long block,
                Progressable progress)
                throws IOException {
            OutputStream out = super.create(path, permission, overwrite, buffer, replication, block, progress);
            boolean full = fullForPrefix != null && path.getName().startsWith(fullForPrefix);
            return new FSDataOutputStream(full ? new FullStream(out) : out, null);
        }
    }

    private static final class FullStream extends FilterOutputStream {
        FullStream(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            write(0);
        }

        @Override
        public void write(int b) throws IOException {
            IOException full = new IOException(FULL);
            if (asError) {
                throw error(full);
            }
            throw full;
        }
    }

    /** The error that Hadoop's local file system throws; its constructor is not public. */
    private static FSError error(IOException cause) {
        try {
            Constructor<FSError> constructor = FSError.class.getDeclaredConstructor(Throwable.class);
            constructor.setAccessible(true);
            return constructor.newInstance(cause);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeAll
    static void start() throws IOException {
        System.setProperty(FILE_SYSTEM, FullFileSystem.class.getName());
        System.setProperty(FILE_SYSTEM + ".disable.cache", "true");
        session = TestRuns.startSession();
        Files.writeString(folder.resolve("text.txt"), "the cat sat on the mat\n".repeat(100));
        Files.writeString(folder.resolve("rows.csv"), "text,label\n" + "a,x\nb,y\n".repeat(10));
    }

    @AfterAll
    static void stop() {
        session.close();
        System.clearProperty(FILE_SYSTEM);
        System.clearProperty(FILE_SYSTEM + ".disable.cache");
    }

    @ParameterizedTest
    @CsvSource({
        "text.txt, language-model, stream-, false",
        "text.txt, language-model, stream-, true",
        "text.txt, language-model, vocabulary, false",
        "text.txt, language-model, index, true",
        "rows.csv, classification, training-, false",
        "rows.csv, classification, labels, true",
    })
    void namesTheFileAndTheKeyAndPreparesOnceThereIsSpace(String corpus, String task, String file, boolean error)
            throws IOException {
        String settings = "corpus.path = \"" + folder.resolve(corpus) + "\", task = " + task + ", run.directory = \""
                + folder.resolve("run-" + file + error) + "\", corpus { validation = 0, test = 0 }";
        fullForPrefix = file;
        asError = error;

        String problem =
                assertThrows(UnrollException.class, () -> prepare(settings)).getMessage();

        assertTrue(problem.contains(folder.resolve("run-" + file + error) + "/prepared/"), problem);
        assertTrue(
                problem.endsWith(
                        " cannot be written: " + FULL + ". Free space there, or give another corpus.prepared."),
                problem);
        Path named = Path.of(URI.create(problem.substring(0, problem.indexOf(' '))));
        assertFalse(Files.isRegularFile(named), problem);
        assertFalse(Files.exists(named.resolveSibling("index.json")) || Files.exists(named.resolve("index.json")));
        fullForPrefix = null;
        assertFalse(prepare(settings).found());
        assertTrue(prepare(settings).found());
    }

    private static PreparedCorpus prepare(String text) throws IOException {
        Settings settings = SettingsReader.parse(text, "test");
        return CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
    }
}
