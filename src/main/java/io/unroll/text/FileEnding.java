package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.hadoop.fs.Path;

/** Classifies files by their name extensions. */
final class FileEnding {
    private static final String READ_COMPRESSED = "\\.(gz|bz2|deflate)$";

    private static final Set<String> PACKED = Set.of(
            "7z", "ace", "arj", "br", "bz", "cab", "gzip", "jar", "lz", "lz4", "lzma", "lzo", "rar", "snappy", "sz",
            "tar", "taz", "tbz", "tbz2", "tgz", "tlz", "txz", "tzst", "xz", "z", "zip", "zst", "zstd");

    /** Text formats in which a line is not a row. */
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

    /** @return the extension in lower case, without that of a supported compression; empty if there is none */
    private static String extension(String file) {
        String name = new Path(file).getName().toLowerCase(Locale.ROOT).replaceFirst(READ_COMPRESSED, "");
        return name.contains(".") ? name.substring(name.lastIndexOf('.') + 1) : "";
    }

    static boolean isStructured(String file) {
        return STRUCTURED.contains(extension(file));
    }

    /** @return csv, tsv or parquet, according to the extension; otherwise lines */
    static Settings.Format format(String file) {
        return TABLES.stream()
                .filter(format -> format.name().toLowerCase(Locale.ROOT).equals(extension(file)))
                .findFirst()
                .orElse(Settings.Format.LINES);
    }

    /** @throws ConfigurationException if a file is in an unsupported compression or archive format */
    static void refusePacked(List<Slice> files) {
        for (Slice file : files) {
            boolean packed = PACKED.contains(extension(file.file()));
            boolean compressedParquet = format(file.file()) == Settings.Format.PARQUET && file.compressed();
            if (packed || compressedParquet) {
                throw new ConfigurationException(
                        file.file() + " is in a compression or archive format that Unroll cannot read; it reads .gz, "
                                + ".bz2 and .deflate"
                                + (compressedParquet ? ", but not for .parquet" : "")
                                + ": unpack it, or exclude it with a pattern, such as corpus.path = \"folder/*.txt\".");
            }
        }
    }

    /**
     * @throws ConfigurationException if a file is neither a table nor plain text, or if tables and text files are mixed
     */
    static void refuseNonRows(List<Slice> files) {
        Slice table = files.stream()
                .filter(file -> format(file.file()) != Settings.Format.LINES)
                .findFirst()
                .orElse(null);
        for (Slice file : files) {
            String extension = extension(file.file());
            boolean unsupported = BINARY.contains(extension) || STRUCTURED.contains(extension);
            if (format(file.file()) == Settings.Format.LINES && (table != null || unsupported)) {
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
