package io.unroll.spark;

import io.unroll.inference.TextInference;
import io.unroll.model.Network;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import scala.Tuple2;

/**
 * Appends the results of a model to the rows of a partition, in windows of rows, so that memory does not grow with the
 * partition.
 *
 * @param model on the executors; each task has a network of it
 * @param weights identifies the model
 * @param columns the input's columns, which the result keeps; after them, a row has what {@code results} needs
 */
record InferenceRows(Broadcast<TextInference> model, String weights, int columns, Results results)
        implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1;
    private static final long WINDOW_CHARACTERS = 1 << 22;

    /** Computes the values that are appended to rows. */
    interface Results extends java.io.Serializable {
        /** @return maximum number of rows of a window */
        default int windowRows() {
            return 4096;
        }

        /** Starts a partition. */
        Window start();
    }

    /** Computes the values of one window after the other, and may carry a state from one to the next. */
    interface Window {
        /**
         * @param next the row after the window; null at the end of the partition
         * @return the values to append to each row
         */
        List<Object[]> values(TextInference inference, Network network, List<Row> rows, Row next) throws IOException;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        PeekingIterator<Row> input = PeekingIterator.peekingIterator(rows);
        Window window = results.start();
        Deque<Row> ready = new ArrayDeque<>();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return !ready.isEmpty() || input.hasNext();
            }

            @Override
            public Row next() {
                if (ready.isEmpty()) {
                    append(input, window, ready);
                }
                return ready.remove();
            }
        };
    }

    private void append(PeekingIterator<Row> input, Window window, Deque<Row> ready) {
        List<Row> rows = new ArrayList<>();
        long characters = 0;
        while (input.hasNext() && rows.size() < results.windowRows() && characters < WINDOW_CHARACTERS) {
            Row row = input.next();
            rows.add(row);
            characters += size(row);
        }
        TextInference inference = model.value();
        try {
            List<Object[]> values = IdlePool.use(
                    List.of(inference.shape(), weights),
                    inference::network,
                    network -> window.values(inference, network, rows, input.hasNext() ? input.peek() : null));
            for (int i = 0; i < rows.size(); i++) {
                ready.add(appended(rows.get(i), values.get(i)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @return the length of the texts and bytes in a value: a row, a list, a map, or a pair of a map */
    private static long size(Object value) {
        if (value instanceof String text) {
            return text.length();
        }
        if (value instanceof byte[] bytes) {
            return bytes.length;
        }
        long size = 0;
        if (value instanceof Row row) {
            for (int i = 0; i < row.size(); i++) {
                size += size(row.get(i));
            }
        } else if (value instanceof scala.collection.Iterable<?> values) {
            scala.collection.Iterator<?> each = values.iterator();
            while (each.hasNext()) {
                size += size(each.next());
            }
        } else if (value instanceof Tuple2<?, ?> pair) {
            size = size(pair._1()) + size(pair._2());
        }
        return size;
    }

    private Row appended(Row row, Object[] values) {
        Object[] all = new Object[columns + values.length];
        Arrays.setAll(all, i -> i < columns ? row.get(i) : values[i - columns]);
        return RowFactory.create(all);
    }
}
