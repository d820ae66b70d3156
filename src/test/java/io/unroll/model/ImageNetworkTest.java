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
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Networks with an image encoder. */
class ImageNetworkTest {
    private static final int VOCABULARY = 5;
    private static final int SIDE = 8;
    private static final int FEATURES = 7;
    private static final int LANES = 3;

    /** Moves many parameters at once, because in float32 the effect of a single one is lost in rounding. */
    @ParameterizedTest
    @MethodSource("shapes")
    void gradientIsTheSlopeOfTheLoss(NetworkShape shape) {
        try (Network network = new Network(shape, 1)) {
            Batch batch = batch(0, shape);
            float[] original = network.parameters();
            float[] gradient = network.gradient(batch);
            for (NetworkShape.Part part : network.shape().parts()) {
                for (int trial = 0; trial < 5; trial++) {
                    SplittableRandom random = new SplittableRandom(trial);
                    double[] direction = new double[original.length];
                    double slope = 0;
                    for (int i = part.start(); i < part.start() + part.size(); i++) {
                        // Mostly uphill: in other directions, slopes vanish in rounding.
                        direction[i] = gradient[i] * random.nextDouble(0.5, 1.5);
                        slope += direction[i] * gradient[i];
                    }
                    double step = 2e-3 / Math.sqrt(slope);
                    double rise = loss(network, original, direction, step, batch)
                            - loss(network, original, direction, -step, batch);
                    assertEquals(
                            slope, rise / (2 * step), 0.02 * slope, part.role().name());
                    assertTrue(slope > 1e-6, part.role() + " learns nothing");
                }
            }
        }
    }

    private static double loss(Network network, float[] original, double[] direction, double step, Batch batch) {
        float[] moved = original.clone();
        for (int i = 0; i < original.length; i++) {
            moved[i] += (float) (step * direction[i]);
        }
        network.setParameters(moved);
        return network.evaluate(batch).mean();
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void encodingAndThenSteppingEqualsTheBatch(NetworkShape shape) {
        try (Network network = new Network(shape, 1)) {
            Batch batch = batch(0, shape);
            int skipped = startsWithImage(shape) ? 1 : 0;
            float[] together = network.logits(batch);
            network.encode(batch.sources());
            int[] first = new int[LANES];
            Arrays.setAll(first, lane -> batch.inputs()[lane * batch.steps() + skipped]);
            float[] alone = network.logits(new Batch(LANES, 1, first, new int[LANES]));

            int from = skipped * alone.length;
            assertArrayEquals(Arrays.copyOfRange(together, from, from + alone.length), alone, 1e-5f);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void encoderIsReadableByDeeplearning4j(NetworkShape shape) throws IOException {
        try (Network network = new Network(shape, 1)) {
            NetworkShape.Part part = network.shape().parts().get(1);
            ByteArrayOutputStream zip = new ByteArrayOutputStream();
            NetworkZip.write(part.shape(), part.slice(network.parameters()), new float[0], zip);
            MultiLayerNetwork stock =
                    ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(zip.toByteArray()), false);

            INDArray outputs = stock.output(
                    ((ImageShape) part.shape()).input(batch(0, shape).sources()));

            float[] parameters = part.shape().toDeeplearning4j(part.slice(network.parameters()));
            INDArray row = Nd4j.createFromArray(parameters).reshape('c', 1, parameters.length);
            try (ImageEncoder encoder = new ImageEncoder((ImageShape) part.shape(), 1, row, row.dup())) {
                float[][] encoded = encoder.outputs(batch(0, shape).sources(), false);
                assertArrayEquals(encoded[0], outputs.dup('c').data().asFloat());
            }
            assertArrayEquals(
                    part.slice(network.parameters()),
                    NetworkZip.readParameters(part.shape(), 2, new ByteArrayInputStream(zip.toByteArray())));
        }
    }

    /** Validation and decoding between two training steps do not change the training. */
    @ParameterizedTest
    @MethodSource("shapes")
    void inferenceBetweenTrainingStepsChangesNothing(NetworkShape shape) {
        try (Network uninterrupted = new Network(shape, 1);
                Network interrupted = new Network(shape, 1)) {
            for (int step = 0; step < 3; step++) {
                Batch batch = batch(step, shape);
                uninterrupted.train(batch, 0.01, 5, step, step + 1);
                interrupted.evaluate(batch);
                interrupted.train(batch, 0.01, 5, step, step + 1);
                interrupted.encode(new int[][] {batch.sources()[1], batch.sources()[0]});
                interrupted.logits(new Batch(2, 1, new int[] {1, 2}, new int[2]));
            }
            assertArrayEquals(uninterrupted.parameters(), interrupted.parameters());
        }
    }

    /** Networks over pixels, and networks over the features of another network. */
    static Stream<NetworkShape> shapes() {
        String model = "layers = 2, hidden = 6, embedding = 4, ";
        return Stream.of("image.side = " + SIDE, "image.features = " + FEATURES)
                .map(image -> TestShapes.shape(VOCABULARY, model + image))
                .flatMap(plain -> Arrays.stream(ImageShape.Place.values()).map(plain::withImage));
    }

    private static boolean startsWithImage(NetworkShape shape) {
        return ((ImageShape) shape.subnetworks().get(NetworkShape.Role.ENCODER)).place() == ImageShape.Place.FIRST_STEP;
    }

    private static Batch batch(long seed, NetworkShape shape) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] lengths = {4, 3, 4};
        int[] inputs = new int[LANES * 4];
        int[] targets = new int[LANES * 4];
        Arrays.fill(targets, Batch.IGNORED);
        Arrays.setAll(inputs, i -> random.nextInt(VOCABULARY));
        for (int lane = 0; lane < LANES; lane++) {
            for (int step = startsWithImage(shape) ? 1 : 0; step < lengths[lane]; step++) {
                targets[lane * 4 + step] = random.nextInt(VOCABULARY);
            }
        }
        boolean pixels = shape.subnetworks().get(NetworkShape.Role.ENCODER) instanceof PixelShape;
        int[][] images = new int[LANES][pixels ? 3 * SIDE * SIDE : FEATURES];
        for (int[] image : images) {
            Arrays.setAll(
                    image, i -> pixels ? random.nextInt(256) : Float.floatToIntBits((float) random.nextDouble(9)));
        }
        return new Batch(LANES, 4, inputs, targets, lengths, images);
    }
}
