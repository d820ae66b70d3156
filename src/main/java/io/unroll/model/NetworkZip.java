package io.unroll.model;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Weights as a plain Deeplearning4j zip: {@code ModelSerializer.restoreMultiLayerNetwork} reads it without Unroll. */
public final class NetworkZip {
    private NetworkZip() {}

    /** Writes the same bytes for the same weights: unlike ModelSerializer's, these entries carry no time of day. */
    public static void write(EncoderShape shape, float[] parameters, float[] optimizerState, OutputStream out)
            throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        zip.putNextEntry(entry(ModelSerializer.CONFIGURATION_JSON));
        zip.write(shape.configuration(EncoderShape.UNUSED_SEED).toJson().getBytes(StandardCharsets.UTF_8));
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

    /** @return the parameters, as {@link Network#parameters} gives them */
    public static float[] readParameters(EncoderShape shape, InputStream in) throws IOException {
        MultiLayerNetwork net = ModelSerializer.restoreMultiLayerNetwork(in, false);
        float[] parameters = net.params().dup().data().asFloat();
        net.close();
        return shape.fromDeeplearning4j(parameters);
    }
}
