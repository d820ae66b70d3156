package io.unroll.storage;

import io.unroll.config.ConfigurationException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.hadoop.fs.Path;

/** Classifies files by their name extensions. */
public final class FileEnding {
    private static final String READ_COMPRESSED = "\\.(gz|bz2|deflate)$";

    private static final Set<String> PACKED =
            extensions("7z ace arj br bz cab gzip jar lz lz4 lzma lzo rar snappy sz tar"
                    + " taz tbz tbz2 tgz tlz txz tzst xz z zip zst zstd");

    /** Text formats in which a line is not a row. */
    private static final Set<String> STRUCTURED =
            extensions("csv geojson htm html json jsonl jsonlines ldjson ndjson psv"
                    + " rtf sql ssv svg tab tsv xhtml xml yaml yml");

    private static final Set<String> BINARY =
            extensions("arff arrow bmp db doc docx dta epub feather gif h5 hdf5 ipc jpeg"
                    + " jpg mat mdb mp3 mp4 npy npz odp ods odt pdf pickle pkl png ppt pptx rdata rds sas7bdat sav sqlite sqlite3"
                    + " tif tiff wav webp xls xlsb xlsm xlsx");

    /** Formats of tables whose files have the format as their extension. */
    private static final Set<String> TABLES = Set.of("csv", "tsv", "json", "parquet", "orc", "avro");

    /** Further extensions of JSON files with a row per line. */
    private static final Set<String> JSON = Set.of("jsonl", "jsonlines", "ldjson", "ndjson");

    /** Formats that compress their content themselves. */
    private static final Set<String> COLUMNAR = Set.of("parquet", "orc", "avro");

    private FileEnding() {}

    private static Set<String> extensions(String separatedBySpaces) {
        return Set.of(separatedBySpaces.split(" "));
    }

    /** @return the extension in lower case, without that of a supported compression; empty if there is none */
    private static String extension(String file) {
        String name = new Path(file).getName().toLowerCase(Locale.ROOT).replaceFirst(READ_COMPRESSED, "");
        return name.contains(".") ? name.substring(name.lastIndexOf('.') + 1) : "";
    }

    static boolean isStructured(String file) {
        return STRUCTURED.contains(extension(file));
    }

    /** @return the format of a table, according to the extension; otherwise lines */
    public static String format(String file) {
        String extension = extension(file);
        return JSON.contains(extension) ? "json" : TABLES.contains(extension) ? extension : "lines";
    }

    /** @throws ConfigurationException if a file is in an unsupported compression or archive format */
    public static void refusePacked(List<FileSplit> files) {
        for (FileSplit file : files) {
            boolean compressedTable = file.compressed() && COLUMNAR.contains(format(file.file()));
            if (PACKED.contains(extension(file.file())) || compressedTable) {
                throw new ConfigurationException(
                        file.file() + " is in a compression or archive format that Unroll cannot read; it reads .gz, "
                                + ".bz2 and .deflate" + (compressedTable ? ", but not for tables of this format" : "")
                                + ": unpack it, or exclude it with a pattern, such as corpus.path ="
                                + " \"folder/*.txt\".");
            }
        }
    }

    /**
     * @throws ConfigurationException if a file is neither a table nor plain text, or if tables and text files are mixed
     */
    public static void refuseNonRows(List<FileSplit> files) {
        FileSplit table = files.stream()
                .filter(file -> !format(file.file()).equals("lines"))
                .findFirst()
                .orElse(null);
        for (FileSplit file : files) {
            String extension = extension(file.file());
            boolean unsupported = BINARY.contains(extension) || STRUCTURED.contains(extension);
            if (format(file.file()).equals("lines") && (table != null || unsupported)) {
                throw new ConfigurationException(file.file()
                        + (table != null
                                ? " is not a table, unlike " + table.file()
                                : " is neither a table nor plain text")
                        + ": exclude it with a pattern, such as corpus.path = \"folder/*.csv\", convert it to .csv, "
                        + ".json or .parquet,"
                        + " or set corpus.format, which then applies to all files.");
            }
        }
    }
}
