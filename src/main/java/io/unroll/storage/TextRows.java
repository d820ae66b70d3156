package io.unroll.storage;

import io.unroll.config.UnrollException;
import io.unroll.text.Boundary;
import io.unroll.text.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.util.LineReader;

/** Reads text files as rows with the fields {@code text} and {@code label}: a row is a line or an entire file. */
public final class TextRows {
    private static final int MAX_ROW_BYTES = 1 << 24;
    private static final int MAX_SKIPPED_BYTES = 1 << 30;
    private static final String TOO_LONG = "it is longer than " + MAX_ROW_BYTES + " bytes, the maximum of a row";

    private TextRows() {}

    /**
     * @param labelled whether a row has a label: the file's name up to the first dot
     * @return a row for each line that is not blank
     */
    public static Iterator<Row> lines(FileSplit split, boolean labelled, Configuration hadoop) {
        return new Lines(split, labelled, hadoop);
    }

    /**
     * @param labelled whether the row has a label: the name of the file's folder
     * @return the content of a file as a row
     */
    public static Row file(FileSplit file, boolean labelled, Configuration hadoop) throws IOException {
        try (SplitInput in = SplitInput.open(file, Boundary.LINE, hadoop)) {
            byte[] content = in.readNBytes(MAX_ROW_BYTES);
            String label = labelled ? new Path(file.file()).getParent().getName() : null;
            return content.length == MAX_ROW_BYTES
                    ? Row.malformed(file.file(), 1, TOO_LONG)
                    : row(file.file(), 1, new String(content, StandardCharsets.UTF_8), label);
        }
    }

    /** @param label null if the row has none */
    private static Row row(String file, long number, String text, String label) {
        return new Row(file, number, label == null ? Map.of("text", text) : Map.of("text", text, "label", label));
    }

    /** The lines of a file split. They are numbered if the split starts at the start of the file. */
    private static final class Lines implements Iterator<Row> {
        private final FileSplit split;
        private final String label;
        private final SplitInput in;
        private final LineReader reader;
        private final Text line = new Text();
        private long number;
        private Row next;

        Lines(FileSplit split, boolean labelled, Configuration hadoop) {
            this.split = split;
            this.label = labelled ? StringUtils.substringBefore(new Path(split.file()).getName(), ".") : null;
            try {
                this.in = SplitInput.open(split, Boundary.LINE, hadoop);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            this.reader = new LineReader(in);
            advance();
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public Row next() {
            Row row = next;
            advance();
            return row;
        }

        private void advance() {
            try {
                next = null;
                for (int bytes = 1; bytes > 0 && next == null; ) {
                    bytes = reader.readLine(line, MAX_ROW_BYTES, MAX_SKIPPED_BYTES);
                    number++;
                    next = bytes > 0 ? row(bytes) : null;
                }
                if (next == null) {
                    in.close();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** @return null for a blank line */
        private Row row(int bytes) {
            long shown = split.start() == 0 ? number : Row.UNNUMBERED;
            if (bytes >= MAX_SKIPPED_BYTES) {
                throw new UnrollException(
                        Row.place(split.file(), shown) + ": " + TOO_LONG + ". The file is probably not text.");
            }
            if (line.getLength() == MAX_ROW_BYTES) {
                return Row.malformed(split.file(), shown, TOO_LONG);
            }
            String text = line.toString().strip();
            return text.isEmpty() ? null : TextRows.row(split.file(), shown, text, label);
        }
    }
}
