package io.unroll.checkpoint;

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
 * Recognizes files that Unroll wrote, by their names and first bytes. No other files are deleted or replaced. A partly
 * written file is recognized by the bytes that it has.
 */
public final class OwnFiles {
    /** What a prepared corpus has beside its numbered parts. */
    public static final OwnFiles PREPARED = new OwnFiles(
            new Kind("index\\.json.*", "{\"format\":\"unroll-tokens", "{\"format\":\"unroll-examples"),
            new Kind(".+\\.json", "{\"format\":\"unroll-vocabulary"));

    static final OwnFiles CHECKPOINTS = new OwnFiles(
            new Kind("round-\\d{8}\\.checkpoint|\\.round-\\d{8}\\.checkpoint-[0-9a-f-]{36}\\.draft", "UNROLLCP"));
    static final OwnFiles METRICS =
            new OwnFiles(new Kind("metrics\\.jsonl|\\.metrics\\.jsonl(-[0-9a-f-]{36})?\\.draft", "{\"round\":"));
    static final OwnFiles LOCK = new OwnFiles(new Kind("\\..*lock", "{\"format\":\"unroll-lock"));
    static final OwnFiles MODEL = new OwnFiles(
            new Kind("(network|encoder|encoder-forward|attention)\\.zip", "PK"),
            new Kind("manifest\\.json", "{\"format\":\"unroll-model"),
            new Kind("[a-z-]+\\.json", "{\"format\":\"unroll-vocabulary"),
            new Kind("settings\\.conf", "cluster{"),
            new Kind("image-.+", "PK", "\u0089HDF"));

    private static final int HEADER_BYTES = 256;

    private final List<Kind> kinds;

    private OwnFiles(Kind... kinds) {
        this.kinds = List.of(kinds);
    }

    private record Kind(Pattern name, List<String> starts) {
        Kind(String name, String... starts) {
            this(Pattern.compile(name), List.of(starts));
        }
    }

    boolean isName(Path file) {
        return kinds.stream().anyMatch(kind -> kind.name.matcher(file.getName()).matches());
    }

    boolean made(FileSystem fs, FileStatus file) throws IOException {
        if (!file.isFile()) {
            return false;
        }
        for (Kind kind : kinds) {
            if (kind.name.matcher(file.getPath().getName()).matches()) {
                String found = header(fs, file.getPath());
                return kind.starts.stream().anyMatch(start -> start.startsWith(found) || found.startsWith(start));
            }
        }
        return false;
    }

    /** @return the first bytes, one a character, without white space */
    private static String header(FileSystem fs, Path file) throws IOException {
        // Another checksum than the file's is damage, which does not change whose it is.
        FileSystem plain = fs instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : fs;
        try (InputStream in = plain.open(file)) {
            return new String(in.readNBytes(HEADER_BYTES), StandardCharsets.ISO_8859_1).replaceAll("[ \\n\\r\\t]", "");
        }
    }

    /** @throws ConfigurationException where the path, if there is any, is not a folder of such files only */
    void checkFolder(FileSystem fs, Path folder) throws IOException {
        FileStatus[] files;
        try {
            files = fs.listStatus(folder);
        } catch (FileNotFoundException e) {
            return;
        }
        for (FileStatus file : files) {
            if (!made(fs, file)) {
                throw foreign(file.getPath());
            }
        }
    }

    /** @throws ConfigurationException where the path, if there is any, is not such a file */
    public void checkFile(FileSystem fs, Path file) throws IOException {
        try {
            if (!made(fs, fs.getFileStatus(file))) {
                throw foreign(file);
            }
        } catch (FileNotFoundException e) {
            // none is as good
        }
    }

    static ConfigurationException foreign(Path path) {
        return new ConfigurationException(path + " was not made by Unroll, so Unroll does not overwrite or delete it: "
                + "move it,"
                + " or set another folder.");
    }
}
