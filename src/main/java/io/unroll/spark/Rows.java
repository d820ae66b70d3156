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
 * Reads rows in tasks.
 *
 * @param folder of the files that rows name
 * @param skips whether malformed rows are left out
 */
record Rows(RowFormat format, String folder, boolean skips) implements Serializable {
    /** @return of each row what is made of it, when it is asked for; null where it is left out */
    <T> Iterator<Outcome<T>> map(List<Slice> files, Configuration hadoop, BiFunction<Row, RowFiles, T> make) {
        RowFiles named = new RowFiles(folder, hadoop);
        Outcome<List<Row>> rows = Failable.get(() -> Outcome.of(() -> read(files, hadoop)));
        if (rows.problem() != null) {
            return List.of(rows.<T>failed()).iterator();
        }
        return rows.value().stream()
                .map(row -> Failable.get(() -> Outcome.of(() -> unlessMalformed(row, () -> make.apply(row, named)))))
                .iterator();
    }

    private List<Row> read(List<Slice> files, Configuration hadoop) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (Slice file : files) {
            format.read(file, hadoop, rows::add);
        }
        return rows;
    }

    private <T> T unlessMalformed(Row row, Supplier<T> make) {
        try {
            return make.get();
        } catch (MalformedRowException e) {
            if (skips) {
                return null;
            }
            throw new UnrollException(
                    row.file() + ", row at " + row.number() + ": " + e.getMessage()
                            + ". Mend it, or leave such rows out by corpus.malformed = skip.",
                    e);
        }
    }
}
