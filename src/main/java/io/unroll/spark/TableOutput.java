package io.unroll.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.to_json;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
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
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;

/**
 * Where a table with results is written.
 *
 * @param folder blank if a table of the catalog is written
 * @param table blank if a folder is written
 * @param format that Spark writes
 * @param partitionColumns whose values become folders
 */
public record TableOutput(String folder, String table, String format, Mode mode, List<String> partitionColumns) {
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
            if (!fs.exists(path)) {
                return;
            }
            if (mode == Mode.ERROR) {
                throw exists("--out is " + folder + ", which");
            }
            for (String input : inputs) {
                String read = fs.makeQualified(new Path(input)) + "/";
                String written = fs.makeQualified(path) + "/";
                if (read.startsWith(written) || written.startsWith(read)) {
                    throw new ConfigurationException(
                            "--out is " + folder + ", but the input is " + input + ": write to another folder.");
                }
            }
            if (mode == Mode.OVERWRITE) {
                checkOverwritten(fs, path);
            }
        } catch (IOException e) {
            throw new UnrollException("cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    private static ConfigurationException exists(String what) {
        return new ConfigurationException(what + " exists: give another name, or --mode overwrite or --mode append.");
    }

    private void checkOverwritten(FileSystem fs, Path path) throws IOException {
        if (!fs.getFileStatus(path).isDirectory()) {
            throw new ConfigurationException("--out is " + folder + ", which is a file; it must be a folder.");
        }
        for (FileStatus child : fs.listStatus(path)) {
            String name = child.getPath().getName();
            boolean isPartition = child.isDirectory() && name.contains("=");
            if (isPartition && partitionColumns.isEmpty()) {
                throw new ConfigurationException(folder + " is partitioned by " + name.substring(0, name.indexOf('='))
                        + ": give --partition-by, so that only the partitions that are written are replaced.");
            }
            if (!isPartition && !name.startsWith("_") && !name.startsWith(".") && !name.startsWith("part-")) {
                throw new ConfigurationException(folder + " contains " + name
                        + ", which Spark has not written, so it is not replaced: give another folder.");
            }
        }
    }

    /** @throws ConfigurationException if the table exists and must not, or Spark cannot write it */
    void write(Session session, Dataset<Row> results) {
        for (String column : partitionColumns) {
            if (!List.of(results.columns()).contains(column)) {
                throw new ConfigurationException("--partition-by is " + column + ", but the columns are "
                        + String.join(", ", results.columns()) + ".");
            }
        }
        DataFrameWriter<Row> writer = writable(results).write().format(format).mode(saveMode());
        if (table.isBlank()) {
            writer.option(DYNAMIC, "dynamic").partitionBy(partitionColumns.toArray(String[]::new));
            SparkErrors.write("--out " + folder, () -> writer.save(folder));
            return;
        }
        boolean exists = session.sql().catalog().tableExists(table);
        if (exists && mode == Mode.ERROR) {
            throw exists("the table " + table);
        }
        if (exists && mode == Mode.OVERWRITE && !partitionColumns.isEmpty()) {
            overwritePartitions(session, results);
        } else {
            writer.partitionBy(partitionColumns.toArray(String[]::new));
            SparkErrors.write("--table " + table, () -> writer.saveAsTable(table));
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

    /** Turns lists into JSON for a format that has none. */
    private Dataset<Row> writable(Dataset<Row> results) {
        if (!format.toLowerCase(Locale.ROOT).equals("csv")) {
            return results;
        }
        Dataset<Row> flat = results;
        for (StructField field : results.schema().fields()) {
            if (field.dataType() instanceof ArrayType || field.dataType() instanceof MapType) {
                flat = flat.withColumn(field.name(), to_json(col("`" + field.name() + "`")));
            }
        }
        return flat;
    }
}
