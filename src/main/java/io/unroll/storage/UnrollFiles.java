package io.unroll.storage;

import io.unroll.config.ConfigurationException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Recognizes files that Unroll wrote, by their names and first bytes. Unroll never deletes or replaces other files. A
 * partly written file is recognized if its bytes are the beginning of a known header.
 */
public final class UnrollFiles {
    /** The index and the vocabularies of a prepared corpus. */
    public static final UnrollFiles PREPARED = new UnrollFiles(
            new Kind("index\\.json.*", "{\"format\":\"unroll-sequences"),
            new Kind(".+\\.json", "{\"format\":\"unroll-vocabulary"));

    public static final UnrollFiles CHECKPOINTS = new UnrollFiles(
            new Kind("round-\\d{8}\\.checkpoint|\\.round-\\d{8}\\.checkpoint-[0-9a-f-]{36}\\.draft", "UNROLLCP"));
    public static final UnrollFiles METRICS =
            new UnrollFiles(new Kind("metrics\\.jsonl|\\.metrics\\.jsonl(-[0-9a-f-]{36})?\\.draft", "{\"round\":"));
    public static final UnrollFiles LOCK = new UnrollFiles(new Kind("\\..*lock", "{\"format\":\"unroll-lock"));
    public static final UnrollFiles MODEL = new UnrollFiles(
            new Kind("(network|encoder|encoder-forward|attention)\\.zip", "PK"),
            new Kind("manifest\\.json", "{\"format\":\"unroll-model"),
            new Kind("[a-z-]+\\.json", "{\"format\":\"unroll-vocabulary"),
            new Kind("settings\\.conf", "cluster{"),
            new Kind("image-.+", "PK", "\u0089HDF"));

    private static final int HEADER_BYTES = 256;

    private final List<Kind> kinds;

    private UnrollFiles(Kind... kinds) {
        this.kinds = List.of(kinds);
    }

    private record Kind(Pattern name, List<String> headers) {
        Kind(String name, String... headers) {
            this(Pattern.compile(name), List.of(headers));
        }
    }

    public boolean hasKnownName(Path file) {
        return kinds.stream().anyMatch(kind -> kind.name.matcher(file.getName()).matches());
    }

    public boolean isWrittenByUnroll(FileSystem fs, FileStatus file) throws IOException {
        if (!file.isFile()) {
            return false;
        }
        for (Kind kind : kinds) {
            if (kind.name.matcher(file.getPath().getName()).matches()) {
                String found = header(fs, file.getPath());
                return kind.headers.stream().anyMatch(known -> known.startsWith(found) || found.startsWith(known));
            }
        }
        return false;
    }

    /** @return the first bytes as ISO 8859-1 characters, without white space */
    private static String header(FileSystem fs, Path file) throws IOException {
        // Ignores checksums: a damaged file of Unroll is still a file of Unroll.
        FileSystem plain = fs instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : fs;
        try (InputStream in = plain.open(file)) {
            return new String(in.readNBytes(HEADER_BYTES), StandardCharsets.ISO_8859_1).replaceAll("[ \\n\\r\\t]", "");
        }
    }

    /** @throws ConfigurationException if the folder exists and contains a file that Unroll did not write */
    public void checkFolder(FileSystem fs, Path folder) throws IOException {
        FileStatus[] files;
        try {
            files = fs.listStatus(folder);
        } catch (FileNotFoundException e) {
            return;
        }
        for (FileStatus file : files) {
            if (!isWrittenByUnroll(fs, file)) {
                throw foreignFile(file.getPath());
            }
        }
    }

    /** @throws ConfigurationException if the file exists and was not written by Unroll */
    public void checkFile(FileSystem fs, Path file) throws IOException {
        try {
            if (!isWrittenByUnroll(fs, fs.getFileStatus(file))) {
                throw foreignFile(file);
            }
        } catch (FileNotFoundException e) {
            // A missing file is fine.
        }
    }

    public static ConfigurationException foreignFile(Path path) {
        return new ConfigurationException(path + " was not made by Unroll, so Unroll does not overwrite or delete it: "
                + "move it, or set another folder.");
    }
}
