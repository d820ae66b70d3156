package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.ImagePreProcessingScaler;
import org.nd4j.linalg.factory.Nd4j;

class FeatureExtractorTest {
    private static final int SIDE = 8;

    @TempDir
    private Path folder;

    @Test
    void readsALayerOfAMultiLayerNetwork() throws IOException {
        MultiLayerConfiguration layers = new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).name("conv").nOut(2).build())
                .layer(new DenseLayer.Builder().name("dense").nOut(5).build())
                .layer(new DenseLayer.Builder().name("above").nOut(3).build())
                .setInputType(InputType.convolutional(SIDE, SIDE, 3))
                .build();
        MultiLayerNetwork net = new MultiLayerNetwork(layers);
        net.init();
        Path file = folder.resolve("layers.zip");
        ModelSerializer.writeModel(net, file.toFile(), false);

        INDArray input = input(image(), -1, 1);
        assertArrayEquals(net.feedForward(input).get(2).data().asFloat(), features(file, "dense"), 1e-6f);
        assertArrayEquals(net.feedForward(input).get(1).dup('c').data().asFloat(), features(file, "conv"), 1e-6f);
    }

    @Test
    void readsAVertexOfAGraphWithItsNormalizer() throws IOException {
        ComputationGraphConfiguration vertices = new NeuralNetConfiguration.Builder()
                .seed(1)
                .graphBuilder()
                .addInputs("image")
                .setInputTypes(InputType.convolutional(SIDE, SIDE, 3))
                .addLayer("conv", new ConvolutionLayer.Builder(3, 3).nOut(2).build(), "image")
                .addLayer("dense", new DenseLayer.Builder().nOut(5).build(), "conv")
                .addLayer("above", new DenseLayer.Builder().nOut(3).build(), "dense")
                .setOutputs("above")
                .build();
        ComputationGraph graph = new ComputationGraph(vertices);
        graph.init();
        File file = folder.resolve("graph.zip").toFile();
        ModelSerializer.writeModel(graph, file, false);
        ModelSerializer.addNormalizerToModel(file, new ImagePreProcessingScaler(0, 1));

        assertArrayEquals(
                graph.feedForward(input(image(), 0, 1), false)
                        .get("dense")
                        .data()
                        .asFloat(),
                features(file.toPath(), "dense"),
                1e-6f);
    }

    /** Keras 2 files with a 1 x 1 convolution of these weights and global average pooling. */
    @ParameterizedTest
    @ValueSource(strings = {"sequential.h5", "functional.h5"})
    void readsALayerOfKeras(String name) throws IOException {
        float[][] weights = {{0.5f, 0.25f, -0.5f}, {-1, 0.75f, 0.125f}};
        float[] bias = {0.1f, -0.2f};
        Path file = folder.resolve(name);
        Files.copy(FeatureExtractorTest.class.getResourceAsStream(name), file);
        int[] image = image();
        int pixels = SIDE * SIDE;
        float[] convolved = new float[2 * pixels];
        float[] means = new float[2];
        for (int pixel = 0; pixel < pixels; pixel++) {
            for (int filter = 0; filter < 2; filter++) {
                double sum = bias[filter];
                for (int channel = 0; channel < 3; channel++) {
                    sum += weights[filter][channel] * (image[channel * pixels + pixel] / 127.5 - 1);
                }
                convolved[2 * pixel + filter] = (float) Math.max(0, sum);
                means[filter] += convolved[2 * pixel + filter] / pixels;
            }
        }
        assertArrayEquals(means, features(file, "mean"), 1e-5f);
        assertArrayEquals(convolved, features(file, "mix"), 1e-5f);
    }

    @Test
    void unusableFilesAndLayersAreExplained() throws IOException {
        Path text = Files.writeString(folder.resolve("text.zip"), "no network");
        assertTrue(problem(text, "a", SIDE).matches("model.image.network = .*text.zip is not a readable .*"));
        Path h5 = Files.writeString(folder.resolve("text.h5"), "no network");
        assertTrue(problem(h5, "a", SIDE).matches("model.image.network = .*text.h5 is not a readable .*"));
        assertTrue(problem(folder.resolve("none.zip"), "a", SIDE).contains("none.zip"));
        Path other = folder.resolve("other.zip");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(other))) {
            zip.putNextEntry(new ZipEntry("configuration.json"));
            zip.write("{}".getBytes(StandardCharsets.UTF_8));
        }
        assertTrue(problem(other, "a", SIDE).matches("model.image.network = .*other.zip is not a readable .*"));
        readsALayerOfAMultiLayerNetwork();
        assertEquals(
                "model.image.layer: " + folder.resolve("layers.zip")
                        + " has no layer fc2; its layers are conv, dense, above.",
                problem(folder.resolve("layers.zip"), "fc2", SIDE));
        assertTrue(problem(folder.resolve("layers.zip"), "dense", 16)
                .contains("layers.zip cannot read images of 3 x 16 x 16 (model.image.side): "));
    }

    private static String problem(Path file, String layer, int side) {
        int[] image = new int[3 * side * side];
        UnrollException problem = assertThrows(
                UnrollException.class,
                () -> FeatureExtractor.features(file.toString(), layer, image, side, new Configuration()));
        return problem.getMessage();
    }

    @Test
    void missingFileIsAConfigurationError() {
        assertThrows(
                ConfigurationException.class,
                () -> FeatureExtractor.features(folder + "/none.zip", "a", image(), SIDE, new Configuration()));
    }

    private static float[] features(Path file, String layer) {
        return FeatureExtractor.features(file.toString(), layer, image(), SIDE, new Configuration());
    }

    private static int[] image() {
        SplittableRandom random = new SplittableRandom(1);
        int[] image = new int[3 * SIDE * SIDE];
        Arrays.setAll(image, i -> random.nextInt(256));
        return image;
    }

    private static INDArray input(int[] image, double min, double max) {
        INDArray values = Nd4j.createFromArray(
                        Arrays.stream(image).mapToDouble(v -> v).toArray())
                .castTo(DataType.FLOAT);
        return values.muli((max - min) / 255).addi(min).reshape('c', 1, 3, SIDE, SIDE);
    }
}
