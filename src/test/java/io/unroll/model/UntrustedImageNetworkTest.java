package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Marker;
import io.unroll.Zips;
import io.unroll.config.ConfigurationException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.DataNormalization;
import org.nd4j.linalg.dataset.api.preprocessor.ImagePreProcessingScaler;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerMinMaxScaler;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** Image networks of {@code model.image.network} from untrusted sources. */
class UntrustedImageNetworkTest {
    private static final int SIDE = 8;

    /** A string, because a class literal could load the class. */
    private static final String LOADED = "io.unroll.Marker$Loaded";

    @TempDir
    private Path folder;

    private int files;

    @BeforeEach
    void clearMarks() {
        Marker.MARKS.clear();
    }

    @AfterEach
    void assertNoMarkerClassWasLoaded() {
        assertEquals(List.of(), Marker.MARKS);
    }

    @Test
    void readsNetworksWithManyKindsOfParts() throws IOException {
        ComputationGraph graph = graph();
        INDArray input =
                PixelShape.values(new int[][] {image()}, SIDE).divi(127.5).subi(1);

        assertArrayEquals(
                graph.feedForward(input, false).get("dense").data().asFloat(), features(bytes(graph), "dense"), 1e-6f);
        MultiLayerNetwork layers = layers();
        assertArrayEquals(
                layers.feedForward(input).get(1).dup('c').data().asFloat(), features(bytes(layers), "conv"), 1e-6f);
    }

    @Test
    void commonNormalizersWorkAsInDeeplearning4j() throws IOException {
        NormalizerStandardize standardize = new NormalizerStandardize(
                Nd4j.createFromArray(100f, 110, 120).reshape(1, 3),
                Nd4j.createFromArray(40f, 50, 60).reshape(1, 3));
        standardize.fitLabel(true);
        standardize.setLabelStats(Nd4j.ones(1, 2), Nd4j.ones(1, 2));
        NormalizerMinMaxScaler minMax = new NormalizerMinMaxScaler(-1, 2);
        minMax.setFeatureStats(
                Nd4j.createFromArray(0f, 1, 2).reshape(1, 3),
                Nd4j.createFromArray(250f, 251, 252).reshape(1, 3));
        ImagePreProcessingScaler scaler = new ImagePreProcessingScaler(0, 2);
        MultiLayerNetwork layers = layers();
        for (DataNormalization normalizer : List.of(standardize, minMax, scaler)) {
            Path file = folder.resolve(normalizer.getClass().getSimpleName() + ".zip");
            ModelSerializer.writeModel(layers, file.toFile(), true);
            ModelSerializer.addNormalizerToModel(file.toFile(), normalizer);
            INDArray input = PixelShape.values(new int[][] {image()}, SIDE);
            ModelSerializer.<DataNormalization>restoreNormalizerFromFile(file.toFile())
                    .transform(input);

            assertArrayEquals(
                    layers.feedForward(input).get(1).dup('c').data().asFloat(),
                    features(Files.readAllBytes(file), "conv"),
                    1e-5f,
                    file.toString());
        }
    }

    @Test
    void unknownClassNamesAreRefusedEverywhere() throws IOException {
        String marker = Matcher.quoteReplacement(LOADED);
        for (byte[] good : List.of(bytes(graph()), bytes(layers()))) {
            String json = new String(Zips.entries(good).get("configuration.json"), StandardCharsets.UTF_8);
            for (String key : List.of("@class", "type")) {
                Matcher names = Pattern.compile("\"" + key + "\" : \"[^\"]*\"").matcher(json);
                for (boolean first = true; names.find(); first = false) {
                    String named = json.substring(0, names.start()) + "\"" + key + "\" : \"" + LOADED + "\"";
                    String rest = json.substring(names.end());
                    // If a key occurs twice, Deeplearning4j uses the first value, and a JSON tree has the last one.
                    for (String bad : List.of(
                            named + rest,
                            named + "," + names.group() + rest,
                            named.replace(LOADED, "java.util.ArrayList<" + LOADED + ">") + rest)) {
                        assertThrows(IOException.class, () -> ClassNames.checkDeeplearning4j(bad), bad);
                        if (first) {
                            assertRefused(good, bad);
                        }
                    }
                }
            }
            // Jackson also accepts an array of a class name and its properties.
            Matcher objects = Pattern.compile("\"(activationFn|layer|weightInitFn|distribution|iupdater|preProcessor"
                            + "|idropout|weightNoise|biasUpdater|lossFn)\" : (?=\\{|null)")
                    .matcher(json);
            while (objects.find()) {
                String array = "[\"" + LOADED + "\", {}], \"ignored\" : ";
                assertRefused(
                        good,
                        new StringBuilder(json).insert(objects.end(), array).toString());
            }
            assertRefused(
                    good,
                    json.replaceFirst(
                                    "\"vertices\" : \\{",
                                    "\"vertices\" : { \"variables\" : [\"" + marker
                                            + "\"], \"a/layerConf/variables\" : [\"" + marker + "\"],")
                            .replaceFirst("\"confs\" : \\[", "\"confs\" : [[\"" + marker + "\"], "));
            assertRefused(
                    good,
                    json.replaceFirst(
                            "\"layer\" : \\{",
                            "\"layer\" : { \"weightInit\" : \"DISTRIBUTION\"," + " \"dist\" : [\"" + marker
                                    + "\", {}],"));
            byte[] wide =
                    json.replace("org.deeplearning4j", "io.deeplearning4j").getBytes(StandardCharsets.UTF_16);
            assertProblem(Zips.with(good, "configuration.json", wide));
        }
    }

    @Test
    void serializedObjectsAreRefused() throws IOException {
        byte[] good = bytes(layers());
        for (String name : List.of("preprocessor.bin", "objects/x", "../x", "/x", "more")) {
            String problem = assertProblem(Zips.with(good, name, Marker.serialized()));
            assertTrue(problem.contains("it has an unexpected entry \"" + name + "\""), problem);
        }
        for (String name : List.of("configuration.json", "coefficients.bin", "normalizer.bin")) {
            assertProblem(Zips.with(good, name, Marker.serialized()));
            if (!name.equals("normalizer.bin")) {
                assertTrue(assertProblem(Zips.twice(good, name)).contains("it has two entries " + name));
            }
        }
        ByteArrayOutputStream custom = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(custom);
        out.writeUTF("NORMALIZER");
        out.writeInt(1);
        out.writeUTF("CUSTOM");
        out.writeUTF(LOADED);
        String problem = assertProblem(Zips.with(good, "normalizer.bin", custom.toByteArray()));
        assertTrue(problem.contains("its normalizer is of type CUSTOM; "), problem);
    }

    @Test
    void oversizedAndTruncatedFilesAreRefused() throws IOException {
        byte[] good = bytes(layers());
        byte[] json = Zips.entries(good).get("configuration.json");
        byte[] coefficients = Zips.entries(good).get("coefficients.bin");
        byte[] first = Zips.bomb("configuration.json", new byte[0], 64);
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> assertProblem(first));
        byte[] alone = Zips.bomb("coefficients.bin", coefficients, 64);
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> assertProblem(alone));
        byte[] wide = new String(json, StandardCharsets.UTF_8)
                .replaceAll("\"nout\" : \\d+", "\"nout\" : 100000000")
                .getBytes(StandardCharsets.UTF_8);
        assertProblem(Zips.with(good, "configuration.json", wide));
        for (int length = 0; length < good.length; length += 1 + good.length / 60) {
            assertProblem(Arrays.copyOf(good, length));
        }
        assertProblem(Arrays.copyOf(good, good.length - 1));
        assertProblem(Zips.with(good, "coefficients.bin", Arrays.copyOf(coefficients, coefficients.length - 1)));
        assertProblem(Zips.with(good, "coefficients.bin", Arrays.copyOf(coefficients, coefficients.length + 1)));
    }

    @Test
    void nonFiniteWeightsAreRefused() throws IOException {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            MultiLayerNetwork layers = layers();
            layers.params().putScalar(7, bad);
            String problem = assertProblem(bytes(layers));
            assertTrue(problem.contains("numbers that are infinite or not a number"), problem);
        }
    }

    @Test
    void kerasLayersWithCodeAreRefused() throws IOException {
        for (String name : List.of("sequential.h5", "functional.h5")) {
            byte[] good = FeatureExtractorTest.class.getResourceAsStream(name).readAllBytes();
            for (String layer : List.of("Lambda", "TFOp2d", "Conv9D")) {
                String text = new String(good, StandardCharsets.ISO_8859_1);
                assertTrue(text.contains("\"Conv2D\""), name);
                Path file = folder.resolve(layer + name);
                Files.write(
                        file, text.replace("\"Conv2D\"", "\"" + layer + "\"").getBytes(StandardCharsets.ISO_8859_1));
                String problem = problem(file);
                assertTrue(problem.contains("its configuration names \"" + layer + "\", which is not"), problem);
            }
        }
    }

    private void assertRefused(byte[] good, String json) throws IOException {
        String problem = assertProblem(Zips.with(good, "configuration.json", json.getBytes(StandardCharsets.UTF_8)));
        assertTrue(problem.contains("its configuration names") || problem.contains("Duplicate field"), problem);
    }

    private String assertProblem(byte[] zip) throws IOException {
        return problem(Files.write(folder.resolve(files++ + ".zip"), zip));
    }

    private static String problem(Path file) {
        String message = assertThrows(
                        ConfigurationException.class,
                        () -> FeatureExtractor.features(file.toString(), "conv", image(), SIDE, new Configuration()))
                .getMessage();
        assertTrue(message.startsWith("model.image.network = " + file + " is not a readable "), message);
        assertEquals(List.of(), Marker.MARKS, message);
        return message;
    }

    private float[] features(byte[] zip, String layer) throws IOException {
        Path file = Files.write(folder.resolve(files++ + ".zip"), zip);
        return FeatureExtractor.features(file.toString(), layer, image(), SIDE, new Configuration());
    }

    private static byte[] bytes(org.deeplearning4j.nn.api.Model network) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, out, true);
        return out.toByteArray();
    }

    private static MultiLayerNetwork layers() {
        MultiLayerConfiguration layers = new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).name("conv").nOut(2).build())
                .layer(new DenseLayer.Builder().name("dense").nOut(5).build())
                .layer(new OutputLayer.Builder().name("out").nOut(3).build())
                .setInputType(InputType.convolutional(SIDE, SIDE, 3))
                .build();
        MultiLayerNetwork network = new MultiLayerNetwork(layers);
        network.init();
        return network;
    }

    private static ComputationGraph graph() {
        ComputationGraphConfiguration vertices = new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 0.1, 0.9)))
                .l2(0.1)
                .dropOut(new GaussianDropout(0.3))
                .weightNoise(new DropConnect(0.5))
                .constrainWeights(new MaxNormConstraint(1, 1))
                .weightInit(new NormalDistribution(0, 1))
                .graphBuilder()
                .addInputs("image")
                .setInputTypes(InputType.convolutional(SIDE, SIDE, 3))
                .addLayer("conv", new ConvolutionLayer.Builder(3, 3).nOut(2).build(), "image")
                .addLayer("normal", new BatchNormalization(), "conv")
                .addVertex("both", new MergeVertex(), "conv", "normal")
                .addLayer(
                        "dense",
                        new FrozenLayer(new DenseLayer.Builder().nOut(3).build()),
                        "both")
                .addLayer("out", new OutputLayer.Builder().nOut(3).build(), "dense")
                .setOutputs("out")
                .build();
        ComputationGraph graph = new ComputationGraph(vertices);
        graph.init();
        return graph;
    }

    private static int[] image() {
        int[] image = new int[3 * SIDE * SIDE];
        Arrays.setAll(image, i -> i * 31 % 256);
        return image;
    }
}
