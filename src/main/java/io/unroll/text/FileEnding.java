package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.hadoop.fs.Path;

/** What the end of a file's name says of its content. */
final class FileEnding {
    private static final String READ_COMPRESSED = "\\.(gz|bz2|deflate)$";

    private static final Set<String> PACKED = Set.of(
            "7z", "ace", "arj", "br", "bz", "cab", "gzip", "jar", "lz", "lz4", "lzma", "lzo", "rar", "snappy", "sz",
            "tar", "taz", "tbz", "tbz2", "tgz", "tlz", "txz", "tzst", "xz", "z", "zip", "zst", "zstd");

    /** Text, but not of lines that are rows. */
    private static final Set<String> STRUCTURED = Set.of(
            "csv",
            "geojson",
            "htm",
            "html",
            "json",
            "jsonl",
            "jsonlines",
            "ldjson",
            "ndjson",
            "psv",
            "rtf",
            "sql",
            "ssv",
            "svg",
            "tab",
            "tsv",
            "xhtml",
            "xml",
            "yaml",
            "yml");

    private static final Set<String> BINARY = Set.of(
            "arff",
            "arrow",
            "avro",
            "bmp",
            "db",
            "doc",
            "docx",
            "dta",
            "epub",
            "feather",
            "gif",
            "h5",
            "hdf5",
            "ipc",
            "jpeg",
            "jpg",
            "mat",
            "mdb",
            "mp3",
            "mp4",
            "npy",
            "npz",
            "odp",
            "ods",
            "odt",
            "orc",
            "pdf",
            "pickle",
            "pkl",
            "png",
            "ppt",
            "pptx",
            "rdata",
            "rds",
            "sas7bdat",
            "sav",
            "sqlite",
            "sqlite3",
            "tif",
            "tiff",
            "wav",
            "webp",
            "xls",
            "xlsb",
            "xlsm",
            "xlsx");

    private static final List<Settings.Format> TABLES =
            List.of(Settings.Format.CSV, Settings.Format.TSV, Settings.Format.PARQUET);

    private FileEnding() {}

    /** @return of a file whose compression is read, that of its content; empty where there is none */
    private static String of(String file) {
        String name = new Path(file).getName().toLowerCase(Locale.ROOT).replaceFirst(READ_COMPRESSED, "");
        return name.contains(".") ? name.substring(name.lastIndexOf('.') + 1) : "";
    }

    static boolean isStructured(String file) {
        return STRUCTURED.contains(of(file));
    }

    /** @return csv, tsv or parquet; otherwise lines */
    static Settings.Format table(String file) {
        return TABLES.stream()
                .filter(format -> format.name().toLowerCase(Locale.ROOT).equals(of(file)))
                .findFirst()
                .orElse(Settings.Format.LINES);
    }

    /** @throws ConfigurationException naming a file whose compression or archive is not read */
    static void refusePacked(List<Slice> files) {
        for (Slice file : files) {
            boolean packed = PACKED.contains(of(file.file()));
            boolean twice = table(file.file()) == Settings.Format.PARQUET && file.compressed();
            if (packed || twice) {
                throw new ConfigurationException(
                        file.file() + " is in a compression or archive format that Unroll cannot read; it reads .gz, "
                                + ".bz2 and .deflate"
                                + (twice ? ", but not for .parquet" : "")
                                + ": unpack it, or exclude it with a pattern, such as corpus.path = \"folder/*.txt\".");
            }
        }
    }

    /**
     * @throws ConfigurationException naming a file that is neither a table nor plain text, or the one beside the other
     */
    static void refuseOthers(List<Slice> files) {
        Slice table = files.stream()
                .filter(file -> table(file.file()) != Settings.Format.LINES)
                .findFirst()
                .orElse(null);
        for (Slice file : files) {
            String ending = of(file.file());
            boolean other = BINARY.contains(ending) || STRUCTURED.contains(ending);
            if (table(file.file()) == Settings.Format.LINES && (table != null || other)) {
                throw new ConfigurationException(file.file()
                        + (table != null
                                ? " is not a table, unlike " + table.file()
                                : " is neither a table nor plain text")
                        + ": exclude it with a pattern, such as corpus.path = \"folder/*.csv\", convert it to .csv, "
                        + ".tsv or .parquet,"
                        + " or set corpus.format, which then applies to all files.");
            }
        }
    }
}
