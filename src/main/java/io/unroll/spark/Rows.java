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
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;

/**
 * Reads rows in tasks.
 *
 * @param folder of the files that rows name
 */
record Rows(RowFormat format, String folder, boolean skips) implements Serializable {
    /** @return how many rows were malformed and left out */
    long each(List<Slice> files, Configuration hadoop, BiConsumer<Row, RowFiles> use) throws IOException {
        long[] skipped = new long[1];
        RowFiles named = new RowFiles(folder, hadoop);
        for (Slice file : files) {
            format.read(file, hadoop, row -> {
                Optional<Row> used = unlessMalformed(row, () -> {
                    use.accept(row, named);
                    return row;
                });
                skipped[0] += used.isPresent() ? 0 : 1;
            });
        }
        return skipped[0];
    }

    /** @return what is made of the rows that are not left out, each when it is asked for */
    <T> Iterator<T> map(List<Slice> files, Configuration hadoop, BiFunction<Row, RowFiles, T> make) throws IOException {
        RowFiles named = new RowFiles(folder, hadoop);
        List<Row> rows = new ArrayList<>();
        for (Slice file : files) {
            format.read(file, hadoop, rows::add);
        }
        return rows.stream()
                .flatMap(row -> unlessMalformed(row, () -> make.apply(row, named)).stream())
                .iterator();
    }

    private <T> Optional<T> unlessMalformed(Row row, Supplier<T> use) {
        try {
            return Optional.of(use.get());
        } catch (MalformedRowException e) {
            if (skips) {
                return Optional.empty();
            }
            throw new UnrollException(
                    row.file() + ", row at " + row.number() + ": " + e.getMessage()
                            + ". Mend it, or leave such rows out by corpus.malformed = skip.",
                    e);
        }
    }
}
