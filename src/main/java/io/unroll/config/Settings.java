package io.unroll.config;

import static io.unroll.config.InvalidSettingException.check;

import java.io.Serializable;
import java.time.Duration;
import java.util.Map;

/**
 * All that a run's configuration says; {@code conf/reference.conf} explains every key.
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
                "0 (off), or corpus.validation above 0");
        check(
                training.schedule() != Schedule.PLATEAU || corpus.validation() > 0,
                "training.schedule",
                "plateau",
                "another, or corpus.validation above 0");
    }

    public record Run(String directory, long seed, boolean overwrite, Checkpoint checkpoint) implements Serializable {
        public Run {
            check(!directory.isBlank(), "run.directory", "not set", "a folder for what the run makes");
        }
    }

    /**
     * When checkpoints are written: after a number of rounds, after an interval of time, or never if both are zero.
     *
     * @param keep how many of the last checkpoints are kept, beside the best
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
            check(validation + test < 1, "corpus.test", test, "below 1 together with corpus.validation");
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

        /** @return the same with an embedding of its own */
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
     * What keeps training from learning its corpus by heart, by probabilities.
     *
     * @param dropout that an activation between layers or before the output is dropped
     * @param lockedDropout whether all steps of a lane's chunk drop the same activations
     * @param inputDropout that one below the lowest layer is
     * @param weightDropout that a weight from one hidden state to the next is
     * @param labelSmoothing what is taken from a target's 1 and spread over all classes
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
     * @param side pixels to which images are scaled
     * @param features numbers that an image becomes before training; 0 where its pixels are trained on
     * @param network a file with a trained network that makes them; empty where images are files of features
     * @param layer whose output they are
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
            check(features >= 0 && features <= MOST, "model.image.features", features, "from 0 to " + MOST);
            check(
                    network.isBlank() || features > 0,
                    "model.image.features",
                    features,
                    "how many numbers the layer of model.image.network gives");
            check(
                    network.isBlank() == layer.isBlank(),
                    "model.image.layer",
                    layer.isBlank() ? "not set" : layer,
                    "a layer's name with model.image.network, and not set without");
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
            check(epochs >= 1 && epochs <= MOST, "training.epochs", epochs, "from 1 to " + MOST);
            check(batch >= 1 && batch <= MOST, "training.batch", batch, "from 1 to " + MOST);
            check(tbptt >= 1 && tbptt <= MOST, "training.tbptt", tbptt, "from 1 to " + MOST);
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
            check(replicas >= 1 && replicas <= MOST, "cluster.replicas", replicas, "from 1 to " + MOST);
            check(threads >= 1 && threads <= 1024, "cluster.threads", threads, "from 1 to 1024");
        }
    }

    /**
     * @param everyChunks chunks of a round; {@link #EPOCH} for all of an epoch
     * @param learningRate of the step along the averaged change; 1 takes the mean
     * @param momentum of these steps
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

    /** Keeps products of counts within a long. */
    private static final int MOST = 1_000_000;

    public enum TaskName {
        LANGUAGE_MODEL,
        CLASSIFICATION,
        SEQ2SEQ,
        CAPTIONING
    }

    /** Where a recurrent network takes an image in. */
    public enum Inject {
        FIRST_STEP,
        INITIAL_STATE
    }

    /** How the rows of a table lie in files. */
    public enum Format {
        AUTO,
        CSV,
        TSV,
        PARQUET,
        LINES,
        FILES
    }

    /** How a decoder looks back at its source. */
    public enum Attention {
        NONE,
        GENERAL
    }

    /** What of a text the classifier sees. */
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

        /** @return whether the learning rate of a step depends on the number of steps in all */
        public boolean dependsOnEpochs() {
            return this == LINEAR || this == COSINE;
        }
    }

    public enum AveragingMethod {
        MEAN,
        BMUF,
        NESTEROV;

        /** The step along the averaged change, where the configuration names none. */
        double learningRate() {
            return this == NESTEROV ? 0.7 : 1;
        }

        /** For BMUF Chen and Huo (2016), for Nesterov Douillard et al. (DiLoCo, 2023). */
        double momentum(int replicas) {
            return switch (this) {
                case MEAN -> 0;
                case BMUF -> 1 - 1.0 / replicas;
                case NESTEROV -> 0.9;
            };
        }
    }

    /** What becomes of the optimizer's state where replicas are averaged. */
    public enum Updater {
        AVERAGE,
        KEEP,
        RESET
    }
}
