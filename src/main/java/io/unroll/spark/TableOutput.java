package io.unroll.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.to_json;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RuntimeConfig;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Where a table with results is written.
 *
 * @param folder blank if a table of the catalog is written
 * @param table blank if a folder is written
 * @param format that Spark writes
 * @param partitionColumns whose values become folders
 */
public record TableOutput(String folder, String table, String format, Mode mode, List<String> partitionColumns) {
    /** Formats whose files have this ending. */
    private static final Set<String> NAMED_FORMATS = Set.of(".parquet", ".orc", ".json", ".csv", ".avro");

    private static final String DYNAMIC = "partitionOverwriteMode";
    private static final String DYNAMIC_SETTING = "spark.sql.sources." + DYNAMIC;

    /** What happens if the output exists. */
    public enum Mode {
        ERROR,
        OVERWRITE,
        APPEND
    }

    /** @throws ConfigurationException if there is no output, or two */
    public TableOutput {
        if (folder.isBlank() == table.isBlank()) {
            throw new ConfigurationException(
                    "give either --out FOLDER or --table NAME, where the results are written.");
        }
    }

    /**
     * Checks the folder before anything is computed.
     *
     * @param inputs paths that are read
     * @throws ConfigurationException if the folder exists and must not, or would lose what is not a result
     */
    public void check(List<String> inputs, Configuration hadoop) {
        if (folder.isBlank()) {
            return;
        }
        Path path = new Path(folder);
        try {
            FileSystem fs = path.getFileSystem(hadoop);
            for (String input : inputs) {
                String read = fs.makeQualified(new Path(input)) + "/";
                String written = fs.makeQualified(path) + "/";
                if (read.startsWith(written) || written.startsWith(read)) {
                    throw new ConfigurationException(
                            "--out is " + folder + ", but the input is " + input + ": write to another folder.");
                }
            }
            if (!fs.exists(path)) {
                return;
            }
            if (mode == Mode.ERROR) {
                throw exists("--out is " + folder + ", which");
            }
            checkContent(fs, path);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Spark deletes the old results before it reads the rows. */
    private void checkIsNotRead(Session session, Dataset<Row> results) {
        if (folder.isBlank() || mode != Mode.OVERWRITE) {
            return;
        }
        try {
            Path path = new Path(folder);
            String written = path.getFileSystem(session.hadoop())
                            .makeQualified(path)
                            .toUri()
                            .getPath() + "/";
            for (String file : results.inputFiles()) {
                if (new Path(URI.create(file)).toUri().getPath().startsWith(written)) {
                    throw new ConfigurationException(
                            "--out is " + folder + ", but the input contains " + file + ": write to another folder.");
                }
            }
        } catch (IOException e) {
            throw new UnrollException("cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    private static ConfigurationException exists(String what) {
        return new ConfigurationException(what + " exists: give another name, or --mode overwrite or --mode append.");
    }

    private void checkContent(FileSystem fs, Path path) throws IOException {
        if (!fs.getFileStatus(path).isDirectory()) {
            throw new ConfigurationException("--out is " + folder + ", which is a file; it must be a folder.");
        }
        boolean isCompared = false;
        for (FileStatus child : fs.listStatus(path)) {
            String name = child.getPath().getName();
            if (isPartition(child) || name.startsWith("part-")) {
                isCompared = isCompared || isLike(fs, child);
            } else if (name.equals("_delta_log") && !format.equalsIgnoreCase("delta")) {
                throw new ConfigurationException(folder + " is a Delta table, but --format is " + format
                        + ": give --format delta, or another folder.");
            } else if (!name.startsWith("_") && !name.startsWith(".")) {
                throw new ConfigurationException(folder + " contains " + name
                        + ", which Spark has not written, so nothing is written there: give another folder.");
            }
        }
    }

    private static boolean isPartition(FileStatus child) {
        return child.isDirectory() && child.getPath().getName().contains("=");
    }

    /**
     * Follows the first folders of a partition to a file with results, and compares its partitions and its format.
     *
     * @return whether there is such a file: another job may replace it
     */
    private boolean isLike(FileSystem fs, FileStatus child) throws IOException {
        List<String> partitions = new ArrayList<>();
        Optional<FileStatus> current = Optional.of(child);
        while (current.isPresent() && isPartition(current.get())) {
            String name = current.get().getPath().getName();
            partitions.add(name.substring(0, name.indexOf('=')));
            current = children(fs, current.get().getPath()).stream()
                    .filter(inside ->
                            isPartition(inside) || inside.getPath().getName().startsWith("part-"))
                    .findFirst();
        }
        if (current.isEmpty()) {
            return false;
        }
        if (!partitions.equals(partitionColumns)) {
            throw new ConfigurationException(folder
                    + (partitions.isEmpty()
                            ? " is not partitioned"
                            : " is partitioned by " + String.join(",", partitions))
                    + ": give the same --partition-by, or another folder.");
        }
        boolean isReplaced = mode == Mode.OVERWRITE && partitionColumns.isEmpty();
        String ending = "." + format.toLowerCase(Locale.ROOT);
        if (!isReplaced
                && NAMED_FORMATS.contains(ending)
                && !current.get().getPath().getName().contains(ending)) {
            throw new ConfigurationException(folder + " contains "
                    + current.get().getPath().getName() + ", but --format is " + format
                    + ": give the same format, or another folder.");
        }
        return true;
    }

    private static List<FileStatus> children(FileSystem fs, Path folder) throws IOException {
        try {
            return List.of(fs.listStatus(folder));
        } catch (FileNotFoundException e) {
            return List.of();
        }
    }

    /**
     * Checks what depends on the rows, before anything is computed.
     *
     * @throws ConfigurationException if the table exists and must not, or its columns or partitions are others
     */
    void check(Session session, Dataset<Row> results) {
        for (String column : partitionColumns) {
            if (!List.of(results.columns()).contains(column)) {
                throw new ConfigurationException("--partition-by is " + column + ", but the columns are "
                        + String.join(", ", results.columns()) + ".");
            }
        }
        checkIsNotRead(session, results);
        if (!table.isBlank() && session.forgets(table)) {
            throw new ConfigurationException("--table is " + table + ", but Spark's catalog is in memory, so the table"
                    + " would be forgotten when the command ends: give --out, or set"
                    + " spark.sql.catalogImplementation = hive in a Spark with Hive's classes, or another catalog.");
        }
        if (table.isBlank() || !session.sql().catalog().tableExists(table)) {
            return;
        }
        if (mode == Mode.ERROR) {
            throw exists("the table " + table);
        }
        if (!tablePartitions(session).equals(partitionColumns)) {
            throw new ConfigurationException("the table " + table + " is partitioned by " + tablePartitions(session)
                    + ", but --partition-by is " + partitionColumns + ": give the same.");
        }
        String[] columns = session.sql().table(table).columns();
        if (mode == Mode.OVERWRITE
                && !partitionColumns.isEmpty()
                && !Set.of(columns).equals(Set.of(results.columns()))) {
            throw new ConfigurationException("the table " + table + " has the columns " + String.join(", ", columns)
                    + ", but the results have " + String.join(", ", results.columns()) + ": write another table.");
        }
    }

    /** @throws ConfigurationException if {@link #check} refuses the rows, or Spark cannot write them */
    void write(Session session, Dataset<Row> results) {
        check(session, results);
        DataFrameWriter<Row> writer = writable(results).write().format(format).mode(saveMode());
        if (isCsv()) {
            writer.option("header", true).option("escape", "\"");
        }
        if (table.isBlank()) {
            writer.option(DYNAMIC, "dynamic").partitionBy(partitionColumns.toArray(String[]::new));
            if (format.equals("noop")) {
                writer.save();
            } else {
                save(writer, session.hadoop());
            }
        } else if (mode == Mode.OVERWRITE
                && !partitionColumns.isEmpty()
                && session.sql().catalog().tableExists(table)) {
            overwritePartitions(session, results);
        } else {
            writer.partitionBy(partitionColumns.toArray(String[]::new));
            SparkErrors.write("--table " + table, () -> writer.saveAsTable(table));
        }
    }

    /** Writes the file _SUCCESS last: Spark does not if it replaces partitions, and keeps an older one. */
    private void save(DataFrameWriter<Row> writer, Configuration hadoop) {
        Path success = new Path(folder, "_SUCCESS");
        try {
            FileSystem fs = success.getFileSystem(hadoop);
            fs.delete(success, false);
            SparkErrors.write("--out " + folder, () -> writer.save(folder));
            fs.create(success, true).close();
        } catch (IOException e) {
            throw new UnrollException("cannot write " + folder + ": " + e.getMessage(), e);
        }
    }

    /** @return the folder or table, for users */
    public String name() {
        return folder.isBlank() ? table : folder;
    }

    /** @return the partition columns of the table */
    private List<String> tablePartitions(Session session) {
        try {
            return session.sql().catalog().listColumns(table).collectAsList().stream()
                    .filter(org.apache.spark.sql.catalog.Column::isPartition)
                    .map(org.apache.spark.sql.catalog.Column::name)
                    .toList();
        } catch (Exception e) {
            throw new ConfigurationException(
                    "--table is " + table + ", whose columns cannot be read: " + e.getMessage(), e);
        }
    }

    /** Spark has no option for that, only a setting of the session. */
    private void overwritePartitions(Session session, Dataset<Row> results) {
        Column[] order = Arrays.stream(session.sql().table(table).columns())
                .map(name -> col("`" + name + "`"))
                .toArray(Column[]::new);
        RuntimeConfig conf = results.sparkSession().conf();
        String before = conf.get(DYNAMIC_SETTING);
        conf.set(DYNAMIC_SETTING, "dynamic");
        try {
            SparkErrors.write("--table " + table, () -> writable(results)
                    .select(order)
                    .write()
                    .mode(SaveMode.Overwrite)
                    .insertInto(table));
        } finally {
            conf.set(DYNAMIC_SETTING, before);
        }
    }

    private SaveMode saveMode() {
        return switch (mode) {
            case ERROR -> SaveMode.ErrorIfExists;
            case OVERWRITE -> SaveMode.Overwrite;
            case APPEND -> SaveMode.Append;
        };
    }

    private boolean isCsv() {
        return format.equalsIgnoreCase("csv");
    }

    /** Turns lists, maps and structs into JSON for a format that has none. */
    private Dataset<Row> writable(Dataset<Row> results) {
        if (!isCsv()) {
            return results;
        }
        Dataset<Row> flat = results;
        for (StructField field : results.schema().fields()) {
            DataType type = field.dataType();
            if (type instanceof ArrayType || type instanceof MapType || type instanceof StructType) {
                flat = flat.withColumn(field.name(), to_json(flat.col(TableColumns.quoted(field.name()))));
            }
        }
        return flat;
    }
}
