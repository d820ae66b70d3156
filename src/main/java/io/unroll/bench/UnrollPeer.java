package io.unroll.bench;

import io.unroll.chunk.Batch;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.kernel.OneDnn;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Measures Unroll itself. */
final class UnrollPeer implements Peer {
    @Override
    public String name() {
        return "unroll";
    }

    @Override
    public boolean supports(Case network) {
        return network.precision() == Settings.Precision.FLOAT32 || OneDnn.hasBfloat16();
    }

    @Override
    public Step open(Case network, int[][] tokens) {
        Settings.Model model = SettingsReader.parse(
                        "run.directory = none, corpus.path = none, model { layers = " + Case.LAYERS + ", hidden = "
                                + network.hidden() + ", cell = " + SettingNames.kebab(network.cell())
                                + ", precision = " + SettingNames.kebab(network.precision()) + " }",
                        name())
                .model();
        NetworkShape shape = new NetworkShape(model, Case.VOCABULARY, Settings.Optimizer.ADAM, network.threads());
        Batch batch = new Batch(Case.LANES, Case.STEPS, flat(tokens, 0), flat(tokens, 1));
        return new TrainingStep(new Network(shape, 1), batch);
    }

    private static int[] flat(int[][] tokens, int first) {
        return Arrays.stream(tokens)
                .flatMapToInt(lane -> IntStream.of(lane).skip(first).limit(Case.STEPS))
                .toArray();
    }

    private static final class TrainingStep implements Step {
        private final Network network;
        private final Batch batch;
        private int iteration;
        private volatile double kernelSeconds;

        TrainingStep(Network network, Batch batch) {
            this.network = network;
            this.batch = batch;
        }

        @Override
        public void run() {
            network.train(batch, Case.LEARNING_RATE, Case.CLIP_NORM, iteration++, 0);
            kernelSeconds = OneDnn.secondsInKernels();
        }

        @Override
        public double kernelSeconds() {
            return kernelSeconds;
        }

        @Override
        public void close() {
            network.close();
        }
    }
}
