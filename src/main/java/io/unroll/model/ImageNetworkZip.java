package io.unroll.model;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.zip.ZipException;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.DataNormalization;
import org.nd4j.linalg.dataset.api.preprocessor.ImagePreProcessingScaler;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerMinMaxScaler;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.dataset.api.preprocessor.VGG16ImagePreProcessor;

/**
 * A network from a zip of Deeplearning4j's {@code ModelSerializer}. Reading it deserializes no Java objects and loads
 * only the known classes of {@link ClassNames}, so the zip may come from an untrusted source.
 *
 * @param layers null if the network is a graph
 * @param graph null if it is not
 * @param normalizer null if the zip has none
 */
record ImageNetworkZip(MultiLayerNetwork layers, ComputationGraph graph, DataNormalization normalizer) {
    private static final Set<String> ENTRIES = Set.of(
            ModelSerializer.CONFIGURATION_JSON,
            ModelSerializer.COEFFICIENTS_BIN,
            ModelSerializer.UPDATER_BIN,
            ModelSerializer.NORMALIZER_BIN);
    private static final int MAX_CONFIGURATION_BYTES = 1 << 24;
    private static final int MAX_NORMALIZER_NUMBERS = 1 << 22;
    private static final int MAX_UPDATER_BYTES_PER_PARAMETER = 4 * Double.BYTES;

    static ImageNetworkZip read(InputStream in) throws IOException {
        NetworkEntries entries = new NetworkEntries(in, ENTRIES);
        Configuration configuration = null;
        INDArray parameters = null;
        DataNormalization normalizer = null;
        try {
            for (String name = entries.next(); name != null; name = entries.next()) {
                if (name.equals(ModelSerializer.CONFIGURATION_JSON)) {
                    configuration = Configuration.of(entries.bytes(MAX_CONFIGURATION_BYTES));
                } else if (name.equals(ModelSerializer.NORMALIZER_BIN)) {
                    normalizer = normalizer(entries);
                } else if (configuration == null) {
                    throw new ZipException(ModelSerializer.CONFIGURATION_JSON + " is not its first entry");
                } else if (name.equals(ModelSerializer.COEFFICIENTS_BIN)) {
                    parameters = parameters(entries, configuration.parameters());
                } else {
                    entries.skip(configuration.parameters() * MAX_UPDATER_BYTES_PER_PARAMETER);
                }
            }
        } catch (EOFException e) {
            throw new EOFException("it ends too early");
        }
        entries.require(ModelSerializer.CONFIGURATION_JSON);
        entries.require(ModelSerializer.COEFFICIENTS_BIN);
        return configuration.network(parameters, normalizer);
    }

    private static INDArray parameters(NetworkEntries entries, long count) throws IOException {
        DataInputStream in = entries.data();
        INDArray parameters = entries.array(in, count, count);
        entries.checkEnd(in);
        return parameters;
    }

    /** Unlike Deeplearning4j's reader, this does not instantiate classes that the file names. */
    private static DataNormalization normalizer(NetworkEntries entries) throws IOException {
        DataInputStream in = entries.data();
        if (!in.readUTF().equals("NORMALIZER") || in.readInt() != 1) {
            throw new ZipException(ModelSerializer.NORMALIZER_BIN + " is not a Deeplearning4j normalizer");
        }
        String type = in.readUTF();
        DataNormalization normalizer =
                switch (type) {
                    case "IMAGE_MIN_MAX" -> {
                        ImagePreProcessingScaler scaler =
                                new ImagePreProcessingScaler(in.readDouble(), in.readDouble());
                        scaler.setMaxPixelVal(in.readDouble());
                        yield scaler;
                    }
                    case "IMAGE_VGG16" -> new VGG16ImagePreProcessor();
                    case "STANDARDIZE" -> {
                        in.readBoolean();
                        yield new NormalizerStandardize(statistics(entries, in), statistics(entries, in));
                    }
                    case "MIN_MAX" -> {
                        in.readBoolean();
                        NormalizerMinMaxScaler scaler = new NormalizerMinMaxScaler(in.readDouble(), in.readDouble());
                        scaler.setFeatureStats(statistics(entries, in), statistics(entries, in));
                        yield scaler;
                    }
                    default -> throw new ZipException("its normalizer is of type "
                            + type.replaceAll("\\p{Cntrl}", "?")
                            + "; supported are STANDARDIZE, MIN_MAX, IMAGE_MIN_MAX and IMAGE_VGG16");
                };
        // The rest is statistics of labels.
        entries.skip(4L * Double.BYTES * MAX_NORMALIZER_NUMBERS);
        return normalizer;
    }

    private static INDArray statistics(NetworkEntries entries, DataInputStream in) throws IOException {
        return entries.array(in, 1, MAX_NORMALIZER_NUMBERS);
    }

    /** One of {@code layers} and {@code graph} is null. */
    private record Configuration(MultiLayerConfiguration layers, ComputationGraphConfiguration graph) {
        static Configuration of(byte[] bytes) throws IOException {
            String json = new String(bytes, StandardCharsets.UTF_8);
            return ClassNames.checkDeeplearning4j(json).has("vertices")
                    ? new Configuration(null, ComputationGraphConfiguration.fromJson(json))
                    : new Configuration(MultiLayerConfiguration.fromJson(json), null);
        }

        long parameters() {
            return graph == null
                    ? layers.getConfs().stream()
                            .mapToLong(layer -> layer.getLayer().initializer().numParams(layer))
                            .sum()
                    : graph.getVertices().values().stream()
                            .mapToLong(vertex -> vertex.numParams(false))
                            .sum();
        }

        ImageNetworkZip network(INDArray parameters, DataNormalization normalizer) {
            if (graph != null) {
                ComputationGraph network = new ComputationGraph(graph);
                network.init(parameters, false);
                return new ImageNetworkZip(null, network, normalizer);
            }
            MultiLayerNetwork network = new MultiLayerNetwork(layers);
            network.init(parameters, false);
            return new ImageNetworkZip(network, null, normalizer);
        }
    }
}
