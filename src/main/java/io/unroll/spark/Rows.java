package io.unroll.spark;

import io.unroll.config.UnrollException;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.RowFiles;
import io.unroll.text.RowFormat;
import io.unroll.text.Slice;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;

/**
 * Reads and converts rows in tasks.
 *
 * @param folder of the files that rows name
 * @param skips whether malformed rows are skipped
 */
record Rows(RowFormat format, String folder, boolean skips) implements Serializable {
    /** @return the converted rows, lazily; null for each row that is skipped */
    <T> Iterator<TaskResult<T>> map(List<Slice> files, Configuration hadoop, BiFunction<Row, RowFiles, T> convert) {
        RowFiles rowFiles = new RowFiles(folder, hadoop);
        TaskResult<List<Row>> rows = Failable.get(() -> TaskResult.of(() -> read(files, hadoop)));
        if (rows.problem() != null) {
            return List.of(rows.<T>asFailure()).iterator();
        }
        return rows.value().stream()
                .map(row -> Failable.get(() -> TaskResult.of(() -> orSkipped(row, () -> convert.apply(row, rowFiles)))))
                .iterator();
    }

    private List<Row> read(List<Slice> files, Configuration hadoop) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (Slice file : files) {
            format.read(file, hadoop, rows::add);
        }
        return rows;
    }

    private <T> T orSkipped(Row row, Supplier<T> convert) {
        try {
            return convert.get();
        } catch (MalformedRowException e) {
            if (skips) {
                return null;
            }
            throw new UnrollException(
                    row.file() + ", row at " + row.number() + ": " + e.getMessage()
                            + ". Correct the row, or skip such rows with corpus.malformed = skip.",
                    e);
        }
    }
}
