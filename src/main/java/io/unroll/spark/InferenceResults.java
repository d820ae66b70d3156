package io.unroll.spark;

import io.unroll.config.Settings.Pooling;
import io.unroll.inference.TextInference;
import io.unroll.inference.TextInference.ScoredSession;
import io.unroll.inference.TextPrediction;
import io.unroll.inference.TextScore;
import io.unroll.inference.TextScore.Unscored;
import io.unroll.model.Network;
import io.unroll.storage.RowFiles;
import io.unroll.text.MalformedRowException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import org.apache.commons.lang3.ArrayUtils;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/** The values that {@link InferenceRows} appends to rows, for each use of a model. */
final class InferenceResults {
    private InferenceResults() {}

    private static List<String> texts(List<Row> rows, int column) {
        List<String> texts = new ArrayList<>();
        rows.forEach(row -> texts.add(row.getString(column)));
        return texts;
    }

    private static String name(Unscored reason) {
        return reason == null ? null : reason.name().toLowerCase(Locale.ROOT);
    }

    private static Object[] values(TextScore score, AnomalyRule rule, boolean keepsBits) {
        Object[] values = score.unscored() != null
                ? new Object[] {null, null, null, null, null, null, null, null, null, null, null, name(score.unscored())
                }
                : new Object[] {
                    score.score(),
                    score.maxBits(),
                    score.maxPosition(),
                    score.maxToken(),
                    score.maxContext(),
                    score.maxRank(),
                    score.expected().toArray(String[]::new),
                    score.tokens(),
                    score.unknownTokens(),
                    rule.isAnomaly(score),
                    rule.threshold(),
                    null
                };
        return keepsBits ? ArrayUtils.add(values, score.unscored() == null ? score.bits() : null) : values;
    }

    /** Scores of texts, at the index {@code text} of the rows. */
    record Scores(int text, AnomalyRule rule, boolean keepsBits) implements InferenceRows.Results {
        @Override
        public InferenceRows.Window start() {
            return (inference, network, rows, next) -> inference.score(network, texts(rows, text), keepsBits).stream()
                    .map(score -> values(score, rule, keepsBits))
                    .toList();
        }
    }

    /** Scores of the rows of documents; the name of the document and its order follow the text. */
    record DocumentScores(int text, double gapSeconds, AnomalyRule rule, boolean keepsBits)
            implements InferenceRows.Results {
        @Override
        public InferenceRows.Window start() {
            return new DocumentWindow(this);
        }

        private String key(Row row) {
            return row.getString(text + 1);
        }

        private String order(Row row) {
            return row.getString(text + 2);
        }

        private String scored(Row row) {
            return scored(row.getString(text), key(row), order(row), gapSeconds);
        }

        /** @return the text to score; null or malformed if the row's place in the document is */
        static String scored(String content, String key, String order, double gapSeconds) {
            if (TableColumns.MALFORMED.equals(content) || key == null || order == null) {
                return TableColumns.MALFORMED.equals(content) ? content : null;
            }
            return gapSeconds > 0 && seconds(order) == null ? TableColumns.MALFORMED : content;
        }

        /** @return null if the order is not a time */
        private static Double seconds(String order) {
            try {
                return OrderKeys.seconds(order);
            } catch (MalformedRowException e) {
                return null;
            }
        }
    }

    private static final class DocumentWindow implements InferenceRows.Window {
        private final DocumentScores columns;
        private String key;
        private Double lastSeconds;
        private boolean begins = true;
        private float[][] state;

        DocumentWindow(DocumentScores columns) {
            this.columns = columns;
        }

        @Override
        public List<Object[]> values(TextInference inference, Network network, List<Row> rows, Row next) {
            List<TextInference.Session> documents = new ArrayList<>();
            List<String> texts = new ArrayList<>();
            for (Row row : rows) {
                boolean continues = follows(row);
                remember(row);
                if (!continues && !texts.isEmpty()) {
                    documents.add(document(texts, documents.isEmpty(), true));
                    texts = new ArrayList<>();
                }
                if (!continues && documents.isEmpty()) {
                    begins = true;
                    state = null;
                }
                texts.add(columns.scored(row));
            }
            boolean ends = next == null || !follows(next);
            documents.add(document(texts, documents.isEmpty(), ends));
            List<ScoredSession> scored = inference.scoreSessions(network, documents, columns.keepsBits);
            ScoredSession last = scored.get(scored.size() - 1);
            begins = last.begins();
            state = last.state();
            return scored.stream()
                    .flatMap(document -> document.scores().stream())
                    .map(score -> InferenceResults.values(score, columns.rule, columns.keepsBits))
                    .toList();
        }

        /** Only the first document of a window can have begun before. */
        private TextInference.Session document(List<String> texts, boolean isFirst, boolean ends) {
            return new TextInference.Session(texts, !isFirst || begins, ends, isFirst ? state : null);
        }

        /** @return whether the row is in the document of the row before */
        private boolean follows(Row row) {
            if (columns.key(row) == null || !columns.key(row).equals(key)) {
                return false;
            }
            Double seconds = seconds(row);
            return lastSeconds == null || seconds == null || seconds - lastSeconds <= columns.gapSeconds;
        }

        private void remember(Row row) {
            lastSeconds = seconds(row);
            key = columns.key(row);
        }

        /** @return null if the time does not matter, or is none */
        private Double seconds(Row row) {
            return columns.gapSeconds > 0 && columns.order(row) != null
                    ? DocumentScores.seconds(columns.order(row))
                    : null;
        }
    }

    /**
     * Labels or targets of texts or images, at the index {@code text} of the rows.
     *
     * @param images the folder of the images
     * @param hadoop to read images
     */
    record Predictions(
            int text,
            boolean areLabels,
            boolean areImages,
            int beam,
            String images,
            Broadcast<SerializableConfiguration> hadoop)
            implements InferenceRows.Results {
        @Override
        public int windowRows() {
            return areImages ? 256 : InferenceRows.Results.super.windowRows();
        }

        @Override
        public InferenceRows.Window start() {
            return (inference, network, rows, next) -> predictions(inference, network, texts(rows, text)).stream()
                    .map(this::values)
                    .toList();
        }

        private List<TextPrediction> predictions(TextInference inference, Network network, List<String> texts) {
            return areImages
                    ? inference.predictImages(
                            network, texts, new RowFiles(images, hadoop.value().value()), beam)
                    : inference.predict(network, texts, beam);
        }

        private Object[] values(TextPrediction prediction) {
            boolean has = prediction.unscored() == null;
            return areLabels
                    ? new Object[] {
                        prediction.answer(),
                        has ? prediction.probability() : null,
                        has ? probabilities(prediction) : null,
                        name(prediction.unscored())
                    }
                    : new Object[] {
                        prediction.answer(), has ? prediction.logProbability() : null, name(prediction.unscored())
                    };
        }

        private static double[] probabilities(TextPrediction prediction) {
            return prediction.probabilities().values().stream()
                    .flatMapToDouble(DoubleStream::of)
                    .toArray();
        }
    }

    /** Vectors of texts, at the index {@code text} of the rows. */
    record Vectors(int text, Pooling pooling) implements InferenceRows.Results {
        @Override
        public InferenceRows.Window start() {
            return (inference, network, rows, next) -> inference.embed(network, texts(rows, text), pooling).stream()
                    .map(vector -> new Object[] {vector.values(), name(vector.unscored())})
                    .toList();
        }
    }
}
