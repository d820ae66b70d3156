package io.unroll.spark;

import io.unroll.config.UnrollException;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.RowFiles;
import io.unroll.text.RowFormat;
import io.unroll.text.Slice;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.function.BiConsumer;
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
                try {
                    use.accept(row, named);
                } catch (MalformedRowException e) {
                    if (!skips) {
                        throw new UnrollException(
                                row.file() + ", row at " + row.number() + ": " + e.getMessage()
                                        + ". Mend it, or leave such rows out by corpus.malformed = skip.",
                                e);
                    }
                    skipped[0]++;
                }
            });
        }
        return skipped[0];
    }
}
