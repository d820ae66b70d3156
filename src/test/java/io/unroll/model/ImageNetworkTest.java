package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Networks that see an image first. */
class ImageNetworkTest {
    private static final int VOCABULARY = 5;
    private static final int SIDE = 8;
    private static final int LANES = 3;

    /** Float32 allows no finer difference: compared are directions in which many parameters move at once. */
    @ParameterizedTest
    @EnumSource
    void theGradientIsTheSlopeOfTheLoss(ImageShape.Place place) {
        try (Network network = new Network(shape(place), 1)) {
            Batch batch = batch(0, place);
            float[] at = network.parameters();
            float[] gradient = network.gradient(batch);
            for (NetworkShape.Part part : network.shape().parts()) {
                for (int trial = 0; trial < 5; trial++) {
                    SplittableRandom random = new SplittableRandom(trial);
                    double[] direction = new double[at.length];
                    double slope = 0;
                    for (int i = part.start(); i < part.start() + part.size(); i++) {
                        // Uphill, mostly: in others, slopes vanish in rounding.
                        direction[i] = gradient[i] * random.nextDouble(0.5, 1.5);
                        slope += direction[i] * gradient[i];
                    }
                    double step = 2e-3 / Math.sqrt(slope);
                    double rise =
                            loss(network, at, direction, step, batch) - loss(network, at, direction, -step, batch);
                    assertEquals(slope, rise / (2 * step), 0.02 * slope, part.name());
                    assertTrue(slope > 1e-6, part.name() + " learns nothing");
                }
            }
        }
    }

    private static double loss(Network network, float[] at, double[] direction, double step, Batch batch) {
        float[] moved = at.clone();
        for (int i = 0; i < at.length; i++) {
            moved[i] += (float) (step * direction[i]);
        }
        network.setParameters(moved);
        return network.evaluate(batch).mean();
    }

    @ParameterizedTest
    @EnumSource
    void readingAndThenSteppingGivesWhatTheBatchDoes(ImageShape.Place place) {
        try (Network network = new Network(shape(place), 1)) {
            Batch batch = batch(0, place);
            int skipped = place == ImageShape.Place.FIRST_STEP ? 1 : 0;
            float[] together = network.logits(batch);
            network.read(batch.sources());
            int[] first = new int[LANES];
            Arrays.setAll(first, lane -> batch.inputs()[lane * batch.steps() + skipped]);
            float[] alone = network.logits(new Batch(LANES, 1, first, new int[LANES]));

            int from = skipped * alone.length;
            assertArrayEquals(Arrays.copyOfRange(together, from, from + alone.length), alone, 1e-5f);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theEncoderIsANetworkOfDeeplearning4j(ImageShape.Place place) throws IOException {
        try (Network network = new Network(shape(place), 1)) {
            NetworkShape.Part part = network.shape().parts().get(1);
            ByteArrayOutputStream zip = new ByteArrayOutputStream();
            NetworkZip.write(part.shape(), part.cut(network.parameters()), new float[0], zip);
            MultiLayerNetwork stock =
                    ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(zip.toByteArray()), false);

            INDArray outputs = stock.output(Nd4j.zeros(2, 3, SIDE, SIDE));

            assertEquals(((ImageShape) part.shape()).outputs(), outputs.size(1));
            assertArrayEquals(
                    part.cut(network.parameters()),
                    NetworkZip.readParameters(part.shape(), new ByteArrayInputStream(zip.toByteArray())));
        }
    }

    /** Validation and search between two steps leave no trace. */
    @ParameterizedTest
    @EnumSource
    void whatHappensBetweenTwoStepsChangesNothing(ImageShape.Place place) {
        try (Network one = new Network(shape(place), 1);
                Network other = new Network(shape(place), 1)) {
            for (int step = 0; step < 3; step++) {
                Batch batch = batch(step, place);
                one.train(batch, 0.01, 5, step, step + 1);
                other.evaluate(batch);
                other.train(batch, 0.01, 5, step, step + 1);
                other.read(new int[][] {batch.sources()[1], batch.sources()[0]});
                other.logits(new Batch(2, 1, new int[] {1, 2}, new int[2]));
            }
            assertArrayEquals(one.parameters(), other.parameters());
        }
    }

    private static NetworkShape shape(ImageShape.Place place) {
        NetworkShape plain = TestShapes.shape(VOCABULARY, "layers = 2, hidden = 6, embedding = 4");
        return plain.after(SIDE, place);
    }

    private static Batch batch(long seed, ImageShape.Place place) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] lengths = {4, 3, 4};
        int[] inputs = new int[LANES * 4];
        int[] targets = new int[LANES * 4];
        Arrays.fill(targets, Batch.IGNORED);
        Arrays.setAll(inputs, i -> random.nextInt(VOCABULARY));
        for (int lane = 0; lane < LANES; lane++) {
            for (int step = place == ImageShape.Place.FIRST_STEP ? 1 : 0; step < lengths[lane]; step++) {
                targets[lane * 4 + step] = random.nextInt(VOCABULARY);
            }
        }
        int[][] images = new int[LANES][3 * SIDE * SIDE];
        for (int[] image : images) {
            Arrays.setAll(image, i -> random.nextInt(256));
        }
        return new Batch(LANES, 4, inputs, targets, lengths, images);
    }
}
