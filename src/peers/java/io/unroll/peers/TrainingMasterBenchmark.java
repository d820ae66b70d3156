package io.unroll.peers;

import io.unroll.spark.dl4j.UnrollTrainingMaster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * Compares Deeplearning4j's ParameterAveragingTrainingMaster with UnrollTrainingMaster: the same network, data,
 * workers, batches and averaging, trained in turns. Prints the speed, and the loss on held-out text after the same
 * number of tokens.
 */
public final class TrainingMasterBenchmark {
    private static final int WORKERS = 2;
    private static final int LANES = 32;
    private static final int STEPS = 64;
    private static final int HIDDEN = 128;
    private static final int AVERAGING_EVERY = 16;
    private static final int HELD_OUT_LANES = 32;
    private static final int HELD_OUT_STEPS = 512;

    private final JavaSparkContext context;
    private final String symbols;
    private final Broadcast<int[]> text;
    private final int chunks;

    /** @param chunks chunks per worker and turn */
    private TrainingMasterBenchmark(JavaSparkContext context, String text, int chunks) {
        this.context = context;
        this.symbols = text.chars()
                .distinct()
                .sorted()
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        this.text = context.broadcast(text.chars().map(symbols::indexOf).toArray());
        this.chunks = chunks;
    }

    private static final class Contestant {
        private final String name;
        private final SparkDl4jMultiLayer network;
        private final List<Double> tokensPerSecond = new ArrayList<>();
        private double loss;

        Contestant(JavaSparkContext context, MultiLayerConfiguration configuration, TrainingMaster<?, ?> master) {
            this.name = master.getClass().getSimpleName();
            this.network = new SparkDl4jMultiLayer(context, configuration, master);
        }

        double median() {
            double[] sorted = tokensPerSecond.stream()
                    .mapToDouble(Double::doubleValue)
                    .sorted()
                    .toArray();
            return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        }
    }

    /** @param args a text file, the number of turns, and chunks per worker and turn (a multiple of AVERAGING_EVERY) */
    public static void main(String[] args) throws IOException {
        int turns = args.length > 1 ? Integer.parseInt(args[1]) : 4;
        int chunks = args.length > 2 ? Integer.parseInt(args[2]) : 4 * AVERAGING_EVERY;
        SparkConf conf = new SparkConf().setAppName("training masters").setIfMissing("spark.master", "local[2]");
        try (JavaSparkContext context = new JavaSparkContext(conf)) {
            new TrainingMasterBenchmark(context, Files.readString(Path.of(args[0])), chunks).run(turns);
        }
    }

    private void run(int turns) {
        int lanes = WORKERS * LANES;
        int needed = lanes * (chunks * STEPS + 1) + HELD_OUT_LANES * (HELD_OUT_STEPS + 1);
        if (text.value().length < needed) {
            throw new IllegalArgumentException(
                    "the text has " + text.value().length + " characters, and the benchmark needs " + needed);
        }
        MultiLayerConfiguration configuration = configuration(symbols.length());
        Contestant stock = new Contestant(
                context,
                configuration.clone(),
                new ParameterAveragingTrainingMaster.Builder(WORKERS, LANES)
                        .batchSizePerWorker(LANES)
                        .averagingFrequency(AVERAGING_EVERY)
                        .saveUpdater(true)
                        .rddTrainingApproach(RDDTrainingApproach.Direct)
                        .rngSeed(1)
                        .build());
        Contestant ours = new Contestant(
                context,
                configuration.clone(),
                UnrollTrainingMaster.replicas(WORKERS)
                        .averagingEvery(AVERAGING_EVERY)
                        .seed(1)
                        .build());
        long tokens = (long) WORKERS * LANES * STEPS * chunks;
        System.out.printf(
                "2 x %d LSTM, %d symbols, %d workers x %d lanes x %d steps, averaged every %d chunks, %,d tokens a turn%n",
                HIDDEN, symbols.length(), WORKERS, LANES, STEPS, AVERAGING_EVERY, tokens);
        System.out.printf(
                "%-34s %5s %12s %12s %16s%n", "training master", "turn", "tokens", "tokens/s", "held-out nats");
        for (int turn = 1; turn <= turns; turn++) {
            for (Contestant contestant : List.of(stock, ours)) {
                runTurn(contestant, turn, tokens);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "medians: %,.0f and %,.0f tokens/s, ratio %.2f; after %,d tokens: %.4f and %.4f nats%n",
                stock.median(),
                ours.median(),
                ours.median() / stock.median(),
                turns * tokens,
                stock.loss,
                ours.loss);
    }

    private void runTurn(Contestant contestant, int turn, long tokens) {
        long start = System.nanoTime();
        contestant.network.fit(data());
        double perSecond = tokens / ((System.nanoTime() - start) / 1e9);
        contestant.tokensPerSecond.add(perSecond);
        contestant.loss = heldOutLoss(contestant.network);
        System.out.printf(
                Locale.ROOT,
                "%-34s %5d %,12d %,12.0f %16.4f%n",
                contestant.name,
                turn,
                turn * tokens,
                perSecond,
                contestant.loss);
    }

    /** @return the chunks of each worker in order; row j of a chunk continues row j of the previous one */
    private JavaRDD<DataSet> data() {
        Broadcast<int[]> tokens = text;
        int chunksPerWorker = chunks;
        int size = symbols.length();
        List<Integer> chunkNumbers =
                IntStream.range(0, WORKERS * chunks).boxed().toList();
        return context.parallelize(chunkNumbers, WORKERS).map(number -> {
            int[] starts = new int[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                int globalLane = number / chunksPerWorker * LANES + lane;
                starts[lane] = globalLane * (chunksPerWorker * STEPS + 1) + number % chunksPerWorker * STEPS;
            }
            return chunk(tokens.value(), starts, STEPS, size);
        });
    }

    private static DataSet chunk(int[] tokens, int[] starts, int steps, int symbols) {
        return new DataSet(oneHot(tokens, starts, 0, steps, symbols), oneHot(tokens, starts, 1, steps, symbols));
    }

    private static INDArray oneHot(int[] tokens, int[] starts, int offset, int steps, int symbols) {
        float[] values = new float[starts.length * symbols * steps];
        for (int lane = 0; lane < starts.length; lane++) {
            for (int step = 0; step < steps; step++) {
                values[(lane * symbols + tokens[starts[lane] + step + offset]) * steps + step] = 1;
            }
        }
        return Nd4j.create(values, new long[] {starts.length, symbols, steps}, 'c');
    }

    /** @return nats per character on the end of the text, from a zero state */
    private double heldOutLoss(SparkDl4jMultiLayer network) {
        int[] tokens = text.value();
        int[] starts = new int[HELD_OUT_LANES];
        Arrays.setAll(starts, lane -> tokens.length - (lane + 1) * (HELD_OUT_STEPS + 1));
        DataSet heldOut = chunk(tokens, starts, HELD_OUT_STEPS, symbols.length());
        INDArray probabilities = network.getNetwork().output(heldOut.getFeatures());
        double sum = heldOut.getLabels()
                .mul(Nd4j.math().log(probabilities.add(1e-10)))
                .sumNumber()
                .doubleValue();
        return -sum / (HELD_OUT_LANES * HELD_OUT_STEPS);
    }

    private static MultiLayerConfiguration configuration(int size) {
        return new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(0.004))
                .gradientNormalization(GradientNormalization.ClipElementWiseAbsoluteValue)
                .gradientNormalizationThreshold(1)
                .list(
                        lstm(size),
                        lstm(HIDDEN),
                        new RnnOutputLayer.Builder(new LossMCXENT())
                                .nIn(HIDDEN)
                                .nOut(size)
                                .dataFormat(RNNFormat.NCW)
                                .activation(Activation.SOFTMAX)
                                .build())
                .build();
    }

    private static LSTM lstm(int in) {
        return new LSTM.Builder()
                .nIn(in)
                .nOut(HIDDEN)
                .activation(Activation.TANH)
                .build();
    }
}
