package io.unroll.config;

import static io.unroll.config.InvalidSettingException.check;

import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;

/**
 * The settings of a run. Each record is a group of keys, read by the names of its components ({@code minCount} is
 * {@code min-count}) and checked by its constructor; {@code conf/reference.conf} documents every key.
 *
 * @param text the effective configuration as HOCON, defaults included
 */
public record Settings(
        Run run, TaskName task, Corpus corpus, Model model, Training training, Cluster cluster, String text)
        implements Serializable {
    public Settings {
        check(
                training.earlyStopping() == 0 || corpus.validation() > 0,
                "training.early-stopping",
                training.earlyStopping(),
                "0 (off) if corpus.validation is 0");
        check(
                training.schedule() != Schedule.PLATEAU || corpus.validation() > 0,
                "training.schedule",
                "plateau",
                "another schedule if corpus.validation is 0");
        boolean hasLabels = task == TaskName.CLASSIFICATION;
        check(
                hasLabels || !corpus.balanceClasses(),
                "corpus.balance-classes",
                true,
                "false, unless task is classification");
        corpus.classWeights()
                .forEach((label, weight) -> check(
                        hasLabels, "corpus.class-weights." + label, weight, "left out, unless task is classification"));
    }

    /** @return {@code corpus.split-by}, with the value that auto stands for */
    public String splitBy() {
        return !corpus.splitBy().equals("auto")
                ? corpus.splitBy()
                : task == TaskName.LANGUAGE_MODEL ? "row" : "content";
    }

    public record Run(String directory, long seed, boolean overwrite, Checkpoint checkpoint) implements Serializable {
        public Run {
            check(!directory.isBlank(), "run.directory", "not set", "a folder for the run's output");
        }
    }

    /**
     * When checkpoints are written.
     *
     * @param every a number of rounds, or an interval of time
     * @param keep number of latest checkpoints to keep, in addition to the best one
     */
    public record Checkpoint(String every, int keep) implements Serializable {
        public Checkpoint {
            check(
                    every.matches("\\d{1,9}|[1-9]\\d{0,5} ?[smh]"),
                    "run.checkpoint.every",
                    every,
                    "a number of rounds, 0 (off) or more, or a time such as 30s, 5m or 1h");
            check(keep >= 1, "run.checkpoint.keep", keep, "1 or more");
        }

        /** @return 0 for an interval of time */
        public int rounds() {
            return StringUtils.isNumeric(every) ? Integer.parseInt(every) : 0;
        }

        /** @return zero for a number of rounds */
        public Duration interval() {
            return StringUtils.isNumeric(every) ? Duration.ZERO : duration(every);
        }

        public boolean isOn() {
            return rounds() > 0 || !interval().isZero();
        }
    }

    /**
     * The training data. One of path, table and query is set.
     *
     * @param format a format of files, in lower case
     * @param options options of Spark's reader
     * @param columns by field, the name or number of its column; empty if the field is not read
     * @param splitBy auto, row, content, order or a column
     * @param classWeights by label
     */
    public record Corpus(
            String path,
            String table,
            String query,
            String prepared,
            TokenizerName tokenizer,
            TokenizerName targetTokenizer,
            double validation,
            double test,
            String splitBy,
            Documents documents,
            String sessionGap,
            int minCount,
            int maxVocabulary,
            Malformed malformed,
            String format,
            Map<String, String> options,
            boolean header,
            Map<String, String> columns,
            Map<String, Double> classWeights,
            boolean balanceClasses,
            String images)
            implements Serializable {
        public static final double MAX_WEIGHT = 1e9;

        public Corpus {
            long sources = Stream.of(path, table, query)
                    .filter(source -> !source.isBlank())
                    .count();
            check(sources > 0, "corpus.path", "not set", "a file, a folder or a glob");
            check(
                    sources == 1,
                    table.isBlank() ? "corpus.query" : "corpus.table",
                    "set",
                    "the only one that is set of corpus.path, corpus.table and corpus.query");
            format = format.toLowerCase(Locale.ROOT);
            check(
                    sessionGap.matches("0|[1-9]\\d{0,5} ?[smh]"),
                    "corpus.session-gap",
                    sessionGap,
                    "0 (no limit) or a time such as 30s, 30m or 1h");
            check(
                    sessionGap.equals("0") || !columns.get("order").isBlank(),
                    "corpus.session-gap",
                    sessionGap,
                    "0, unless corpus.columns.order is the column of a time");
            boolean isOrdered = !columns.get("order").isBlank();
            check(
                    columns.get("document").isBlank() || isOrdered,
                    "corpus.columns.document",
                    columns.get("document"),
                    "empty, unless corpus.columns.order names the column that orders its rows, such as a time");
            check(
                    !splitBy.equals("order") || isOrdered,
                    "corpus.split-by",
                    splitBy,
                    "another value, unless corpus.columns.order is set");
            check(
                    columns.get("document").isBlank() || columns.get("weight").isBlank(),
                    "corpus.columns.weight",
                    columns.get("weight"),
                    "empty if corpus.columns.document is set: a document has no weight");
            classWeights.forEach((label, weight) -> check(
                    weight >= 0 && weight <= MAX_WEIGHT, "corpus.class-weights." + label, weight, "from 0 to 1e9"));
            check(!prepared.isBlank(), "corpus.prepared", "empty", "a folder for the prepared corpus");
            checkShare("corpus.validation", validation);
            checkShare("corpus.test", test);
            check(validation + test < 1, "corpus.test", test, "less than 1 - corpus.validation");
            check(minCount >= 1, "corpus.min-count", minCount, "1 or more");
            check(
                    maxVocabulary == 0 || maxVocabulary >= 3,
                    "corpus.max-vocabulary",
                    maxVocabulary,
                    "0 (no limit), or 3 or more");
        }

        /** @return the path, table or query, for messages */
        public String source() {
            return path.isBlank() ? table.isBlank() ? "the result of corpus.query" : table : path;
        }

        /** @return the maximum time between two rows of a document; zero for no limit */
        public Duration gap() {
            return sessionGap.equals("0") ? Duration.ZERO : duration(sessionGap);
        }

        /** @return whether the corpus consists of files that are read as one text, in the order of their paths */
        public boolean isPlainText() {
            return !path.isBlank()
                    && columns.get("order").isBlank()
                    && List.of("auto", "text", "lines", "files").contains(format);
        }

        /** @return whether the corpus is divided into documents, each of which starts from a zero state */
        public boolean hasDocuments() {
            return documents == Documents.RESET || !columns.get("document").isBlank();
        }
    }

    private static Duration duration(String text) {
        return Duration.parse("PT" + text.replace(" ", ""));
    }

    public record Model(
            Cell cell,
            Activation activation,
            boolean resetAfter,
            boolean peepholes,
            int layers,
            int hidden,
            int embedding,
            double dropout,
            double inputDropout,
            boolean lockedDropout,
            double weightDropout,
            double labelSmoothing,
            boolean tied,
            Attention attention,
            boolean bidirectional,
            Pooling pooling,
            ImageInput image,
            Precision precision,
            Recurrence recurrence,
            boolean emulateBfloat16)
            implements Serializable {
        public Model {
            check(layers >= 1 && layers <= 64, "model.layers", layers, "from 1 to 64");
            check(hidden >= 1 && hidden <= 65_536, "model.hidden", hidden, "from 1 to 65536");
            check(embedding >= 1 && embedding <= 65_536, "model.embedding", embedding, "from 1 to 65536");
            checkShare("model.dropout", dropout);
            checkShare("model.input-dropout", inputDropout);
            checkShare("model.weight-dropout", weightDropout);
            checkShare("model.label-smoothing", labelSmoothing);
            check(
                    cell == Cell.RNN || activation == Activation.TANH,
                    "model.activation",
                    "relu",
                    "tanh, unless model.cell is rnn");
            check(cell == Cell.GRU || !resetAfter, "model.reset-after", true, "false, unless model.cell is gru");
            check(cell == Cell.LSTM || !peepholes, "model.peepholes", true, "false, unless model.cell is lstm");
            check(
                    !tied || embedding == hidden,
                    "model.tied",
                    true,
                    "false, unless model.embedding (" + embedding + ") is model.hidden (" + hidden + ")");
            check(
                    !bidirectional || attention != Attention.NONE,
                    "model.bidirectional",
                    true,
                    "false, unless model.attention is general");
            check(
                    recurrence != Recurrence.STEPS || precision == Precision.FLOAT32,
                    "model.recurrence",
                    "steps",
                    "auto or primitives, unless model.precision is float32");
        }
    }

    /**
     * The image encoder of a captioning model.
     *
     * @param side width and height in pixels to which images are scaled
     * @param features length of an image's precomputed feature vector; 0 if the model is trained on pixels
     * @param network file with a trained network that computes the features; empty if the features are read from files
     * @param layer the layer of that network whose output is the features
     */
    public record ImageInput(int side, Inject inject, int features, String network, String layer)
            implements Serializable {
        public ImageInput {
            check(side >= 8 && side <= 1024, "model.image.side", side, "from 8 to 1024");
            check(
                    side % 8 == 0 || features > 0,
                    "model.image.side",
                    side,
                    "a multiple of 8, unless model.image.network reads the images");
            check(features >= 0 && features <= MAX_COUNT, "model.image.features", features, "from 0 to " + MAX_COUNT);
            check(
                    network.isBlank() || features > 0,
                    "model.image.features",
                    features,
                    "the output size of model.image.layer");
            check(
                    network.isBlank() == layer.isBlank(),
                    "model.image.layer",
                    layer.isBlank() ? "not set" : layer,
                    "the name of a layer if model.image.network is set, and empty otherwise");
        }
    }

    public record Training(
            int epochs,
            int batch,
            int tbptt,
            Optimizer optimizer,
            double learningRate,
            Schedule schedule,
            double decay,
            int decayAfter,
            int patience,
            double clipNorm,
            int earlyStopping,
            String startFrom)
            implements Serializable {
        public Training {
            check(epochs >= 1 && epochs <= MAX_COUNT, "training.epochs", epochs, "from 1 to " + MAX_COUNT);
            check(batch >= 1 && batch <= MAX_COUNT, "training.batch", batch, "from 1 to " + MAX_COUNT);
            check(tbptt >= 1 && tbptt <= MAX_COUNT, "training.tbptt", tbptt, "from 1 to " + MAX_COUNT);
            check(learningRate > 0 && Double.isFinite(learningRate), "training.learning-rate", learningRate, "above 0");
            check(decay > 0 && decay <= 1, "training.decay", decay, "above 0, at most 1");
            check(decayAfter >= 1, "training.decay-after", decayAfter, "1 or more");
            check(patience >= 1, "training.patience", patience, "1 or more");
            check(clipNorm >= 0 && Double.isFinite(clipNorm), "training.clip-norm", clipNorm, "0 (off) or more");
            check(earlyStopping >= 0, "training.early-stopping", earlyStopping, "0 (off) or more");
        }
    }

    public record Cluster(int replicas, int threads, Averaging averaging) implements Serializable {
        public Cluster {
            check(replicas >= 1 && replicas <= MAX_COUNT, "cluster.replicas", replicas, "from 1 to " + MAX_COUNT);
            check(threads >= 1 && threads <= 1024, "cluster.threads", threads, "from 1 to 1024");
            averaging = averaging.resolved(replicas);
        }
    }

    /**
     * How the replicas are averaged after each round.
     *
     * @param every {@code epoch}, or a number of chunks
     * @param learningRate factor of the averaged weight change; with 1 and no momentum, the new weights are the mean
     * @param momentum momentum of the averaged weight changes
     */
    public record Averaging(
            String every,
            AveragingMethod method,
            @JsonDeserialize(using = SettingValues.NumberOrAuto.class) double learningRate,
            @JsonDeserialize(using = SettingValues.NumberOrAuto.class) double momentum,
            Updater updater)
            implements Serializable {
        public static final int EPOCH = 0;

        public Averaging {
            String key = "cluster.averaging.";
            check(
                    every.matches("epoch|[1-9]\\d{0,8}"),
                    key + "every",
                    every,
                    "epoch, or a number of chunks from 1 to 999999999");
            boolean isMean = method == AveragingMethod.MEAN;
            String notMean = "auto, unless cluster.averaging.method is bmuf or nesterov";
            if (!Double.isNaN(learningRate)) {
                check(learningRate > 0 && learningRate <= 2, key + "learning-rate", learningRate, "above 0, at most 2");
                check(!isMean || learningRate == 1, key + "learning-rate", learningRate, notMean);
            }
            if (!Double.isNaN(momentum)) {
                checkShare(key + "momentum", momentum);
                check(!isMean || momentum == 0, key + "momentum", momentum, notMean);
            }
        }

        /** @return chunks per round; {@link #EPOCH} for all chunks of an epoch */
        public int everyChunks() {
            return every.equals("epoch") ? EPOCH : Integer.parseInt(every);
        }

        /** @return these settings with the method's defaults for NaN, which is {@code auto} */
        private Averaging resolved(int replicas) {
            return new Averaging(
                    every,
                    method,
                    Double.isNaN(learningRate) ? method.learningRate() : learningRate,
                    Double.isNaN(momentum) ? method.momentum(replicas) : momentum,
                    updater);
        }
    }

    private static void checkShare(String key, double share) {
        check(share >= 0 && share < 1, key, share, "from 0 to below 1");
    }

    /** Maximum of a count: the product of three such counts fits in a long. */
    private static final int MAX_COUNT = 1_000_000;

    public enum TaskName {
        LANGUAGE_MODEL,
        CLASSIFICATION,
        SEQ2SEQ,
        CAPTIONING
    }

    /** Where an image enters the recurrent network. */
    public enum Inject {
        FIRST_STEP,
        INITIAL_STATE
    }

    /** What a text is: the entire corpus, or each row, file or session. */
    public enum Documents {
        STREAM,
        RESET
    }

    /** The attention of a decoder over its source. */
    public enum Attention {
        NONE,
        GENERAL
    }

    /** How a classifier combines the hidden states of all steps. */
    public enum Pooling {
        LAST,
        MEAN,
        MAX
    }

    public enum TokenizerName {
        CHAR,
        BYTE,
        WORD
    }

    public enum Malformed {
        ERROR,
        REPLACE,
        SKIP
    }

    public enum Cell {
        LSTM,
        GRU,
        RNN
    }

    public enum Activation {
        TANH,
        RELU
    }

    public enum Precision {
        FLOAT32,
        BFLOAT16
    }

    /** The implementation of recurrent layers: oneDNN's primitives, or a matrix product for each step. */
    public enum Recurrence {
        AUTO,
        PRIMITIVES,
        STEPS
    }

    public enum Optimizer {
        ADAM,
        RMSPROP,
        SGD
    }

    public enum Schedule {
        CONSTANT,
        LINEAR,
        COSINE,
        STEP,
        PLATEAU;

        /** @return whether the learning rate of a step depends on the total number of steps */
        public boolean dependsOnEpochs() {
            return this == LINEAR || this == COSINE;
        }
    }

    public enum AveragingMethod {
        MEAN,
        BMUF,
        NESTEROV;

        /** @return the default of {@code cluster.averaging.learning-rate} */
        double learningRate() {
            return this == NESTEROV ? 0.7 : 1;
        }

        /**
         * @return the default of {@code cluster.averaging.momentum}: for BMUF from Chen and Huo (2016), for Nesterov
         *     from Douillard et al. (DiLoCo, 2023)
         */
        double momentum(int replicas) {
            return switch (this) {
                case MEAN -> 0;
                case BMUF -> 1 - 1.0 / replicas;
                case NESTEROV -> 0.9;
            };
        }
    }

    /** What happens to the state of the optimizer when replicas are averaged. */
    public enum Updater {
        AVERAGE,
        KEEP,
        RESET
    }
}
