package io.unroll.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Writes and reads a network as a zip that {@code ModelSerializer.restoreMultiLayerNetwork} reads without Unroll. */
public final class NetworkZip {
    private static final Set<String> ENTRIES =
            Set.of(ModelSerializer.CONFIGURATION_JSON, ModelSerializer.COEFFICIENTS_BIN);
    private static final Set<String> ENTRIES_WITH_OPTIMIZER =
            Set.of(ModelSerializer.CONFIGURATION_JSON, ModelSerializer.COEFFICIENTS_BIN, ModelSerializer.UPDATER_BIN);

    private NetworkZip() {}

    /** Writes the network; unlike ModelSerializer it writes no time stamps, so equal weights give equal bytes. */
    public static void write(EncoderShape shape, float[] parameters, float[] optimizerState, OutputStream out)
            throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        zip.putNextEntry(entry(ModelSerializer.CONFIGURATION_JSON));
        zip.write(configuration(shape));
        write(zip, ModelSerializer.COEFFICIENTS_BIN, shape.toDeeplearning4j(parameters));
        if (optimizerState.length > 0) {
            write(zip, ModelSerializer.UPDATER_BIN, shape.toDeeplearning4j(optimizerState));
        }
        zip.finish();
    }

    private static void write(ZipOutputStream zip, String name, float[] values) throws IOException {
        zip.putNextEntry(entry(name));
        DataOutputStream data = new DataOutputStream(zip);
        INDArray row = Nd4j.createFromArray(values).reshape('c', 1, values.length);
        Nd4j.write(row, data);
        data.flush();
    }

    private static ZipEntry entry(String name) {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(0);
        return entry;
    }

    /**
     * Reads the weights without Deeplearning4j's parser, and no more bytes than a network of this shape has.
     *
     * @param optimizerArrays numbers in the optimizer's state for each parameter
     * @return the parameters in the order of {@link Network#parameters}
     * @throws ZipException if the zip does not contain the weights of a network of this shape
     */
    public static float[] readParameters(EncoderShape shape, int optimizerArrays, InputStream in) throws IOException {
        int count = shape.deeplearning4jParameters();
        NetworkEntries entries = new NetworkEntries(in, optimizerArrays > 0 ? ENTRIES_WITH_OPTIMIZER : ENTRIES);
        float[] parameters = new float[0];
        try {
            for (String name = entries.next(); name != null; name = entries.next()) {
                switch (name) {
                    case ModelSerializer.CONFIGURATION_JSON -> checkConfiguration(shape, entries);
                    case ModelSerializer.COEFFICIENTS_BIN -> parameters = entries.floats(count);
                    default -> entries.skipFloats((long) optimizerArrays * count);
                }
            }
        } catch (EOFException e) {
            throw new EOFException("it ends too early");
        }
        entries.require(ModelSerializer.CONFIGURATION_JSON);
        entries.require(ModelSerializer.COEFFICIENTS_BIN);
        return shape.fromDeeplearning4j(parameters);
    }

    /** Compares the configuration with the expected one, without Deeplearning4j's parser, which would load classes. */
    private static void checkConfiguration(EncoderShape shape, NetworkEntries entries) throws IOException {
        byte[] expected = configuration(shape);
        byte[] actual = entries.bytes(2 * expected.length);
        boolean same = Arrays.equals(expected, actual);
        try {
            same = same || withoutCounters(expected).equals(withoutCounters(actual));
        } catch (JsonProcessingException e) {
            throw new ZipException(ModelSerializer.CONFIGURATION_JSON + " is not valid JSON");
        }
        if (!same) {
            throw new ZipException(ModelSerializer.CONFIGURATION_JSON + " describes another network than the settings");
        }
    }

    /** @return the configuration without the properties that Deeplearning4j changes in training */
    private static JsonNode withoutCounters(byte[] configuration) throws IOException {
        JsonNode root = new ObjectMapper().readTree(new String(configuration, StandardCharsets.UTF_8));
        for (JsonNode parent : root.findParents("iterationCount")) {
            ((ObjectNode) parent).remove(List.of("iterationCount", "epochCount", "seed", "variables"));
        }
        return root;
    }

    private static byte[] configuration(EncoderShape shape) {
        return shape.configuration(EncoderShape.UNUSED_SEED).toJson().getBytes(StandardCharsets.UTF_8);
    }
}
