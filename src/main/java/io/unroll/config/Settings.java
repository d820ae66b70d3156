package io.unroll.config;

import static io.unroll.config.InvalidSettingException.check;

import java.io.Serializable;
import java.time.Duration;
import java.util.Map;

/**
 * The settings of a run. Each record is a group of keys, checked by its constructor; {@code conf/reference.conf}
 * documents every key.
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
    }

    public record Run(String directory, long seed, boolean overwrite, Checkpoint checkpoint) implements Serializable {
        public Run {
            check(!directory.isBlank(), "run.directory", "not set", "a folder for the run's output");
        }
    }

    /**
     * When checkpoints are written: after a number of rounds, after an interval of time, or never if both are zero.
     *
     * @param keep number of latest checkpoints to keep, in addition to the best one
     */
    public record Checkpoint(int rounds, Duration interval, int keep) implements Serializable {
        public Checkpoint {
            check(keep >= 1, "run.checkpoint.keep", keep, "1 or more");
        }

        public boolean isOn() {
            return rounds > 0 || !interval.isZero();
        }
    }

    public record Corpus(
            String path,
            String prepared,
            TokenizerName tokenizer,
            TokenizerName targetTokenizer,
            double validation,
            double test,
            int minCount,
            int maxVocabulary,
            Malformed malformed,
            Format format,
            boolean header,
            Map<String, String> columns,
            String images)
            implements Serializable {
        public Corpus {
            check(!path.isBlank(), "corpus.path", "not set", "a file, a folder or a glob");
            check(!prepared.isBlank(), "corpus.prepared", "empty", "a folder for the token files");
            check(validation >= 0 && validation < 1, "corpus.validation", validation, "from 0 to below 1");
            check(test >= 0 && test < 1, "corpus.test", test, "from 0 to below 1");
            check(validation + test < 1, "corpus.test", test, "less than 1 - corpus.validation");
            check(minCount >= 1, "corpus.min-count", minCount, "1 or more");
            check(
                    maxVocabulary == 0 || maxVocabulary >= 3,
                    "corpus.max-vocabulary",
                    maxVocabulary,
                    "0 (no limit), or 3 or more");
        }
    }

    public record Model(
            Cell cell,
            Activation activation,
            boolean resetAfter,
            boolean peepholes,
            int layers,
            int hidden,
            int embedding,
            Regularization regularization,
            boolean tied,
            Attention attention,
            boolean bidirectional,
            Pooling pooling,
            ImageInput image,
            Precision precision,
            boolean emulateBfloat16)
            implements Serializable {
        public Model {
            check(layers >= 1 && layers <= 64, "model.layers", layers, "from 1 to 64");
            check(hidden >= 1 && hidden <= 65_536, "model.hidden", hidden, "from 1 to 65536");
            check(embedding >= 1 && embedding <= 65_536, "model.embedding", embedding, "from 1 to 65536");
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
        }

        /** @return this model with an embedding that is not tied to the output weights */
        public Model untied() {
            return with(regularization, false);
        }

        public Model unregularized() {
            return with(Regularization.NONE, tied);
        }

        private Model with(Regularization otherRegularization, boolean otherTied) {
            return new Model(
                    cell,
                    activation,
                    resetAfter,
                    peepholes,
                    layers,
                    hidden,
                    embedding,
                    otherRegularization,
                    otherTied,
                    attention,
                    bidirectional,
                    pooling,
                    image,
                    precision,
                    emulateBfloat16);
        }
    }

    /**
     * Regularization. All values except {@code lockedDropout} are probabilities; 0 disables them.
     *
     * @param dropout dropout between layers and before the output
     * @param lockedDropout whether all steps of a lane's chunk share one dropout mask
     * @param inputDropout dropout of token embeddings, before the first layer
     * @param weightDropout dropout of the recurrent weights (DropConnect)
     * @param labelSmoothing probability that is taken from the target and divided equally among all classes
     */
    public record Regularization(
            double dropout, boolean lockedDropout, double inputDropout, double weightDropout, double labelSmoothing)
            implements Serializable {
        public static final Regularization NONE = new Regularization(0, false, 0, 0, 0);

        public Regularization {
            check("model.dropout", dropout);
            check("model.input-dropout", inputDropout);
            check("model.weight-dropout", weightDropout);
            check("model.label-smoothing", labelSmoothing);
        }

        private static void check(String key, double probability) {
            InvalidSettingException.check(probability >= 0 && probability < 1, key, probability, "from 0 to below 1");
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
        }
    }

    /**
     * How the replicas are averaged after each round.
     *
     * @param everyChunks chunks per round; {@link #EPOCH} for all chunks of an epoch
     * @param learningRate factor of the averaged weight change; with 1 and no momentum, the new weights are the mean
     * @param momentum momentum of the averaged weight changes
     */
    public record Averaging(
            int everyChunks, AveragingMethod method, double learningRate, double momentum, Updater updater)
            implements Serializable {
        public static final int EPOCH = 0;

        public Averaging {
            String key = "cluster.averaging.";
            check(learningRate > 0 && learningRate <= 2, key + "learning-rate", learningRate, "above 0, at most 2");
            check(momentum >= 0 && momentum < 1, key + "momentum", momentum, "from 0 to below 1");
            check(
                    method != AveragingMethod.MEAN || learningRate == 1,
                    key + "learning-rate",
                    learningRate,
                    "auto, unless cluster.averaging.method is bmuf or nesterov");
            check(
                    method != AveragingMethod.MEAN || momentum == 0,
                    key + "momentum",
                    momentum,
                    "auto, unless cluster.averaging.method is bmuf or nesterov");
        }
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

    /** The file format of a table corpus. */
    public enum Format {
        AUTO,
        CSV,
        TSV,
        PARQUET,
        LINES,
        FILES
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
