package io.unroll.model;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.BufferedInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.commons.io.FileUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.hdf5.global.hdf5;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.modelimport.keras.Hdf5Archive;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.modelimport.keras.exceptions.InvalidKerasConfigurationException;
import org.deeplearning4j.nn.modelimport.keras.exceptions.UnsupportedKerasConfigurationException;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.DataNormalization;
import org.nd4j.linalg.dataset.api.preprocessor.ImagePreProcessingScaler;

/** Computes the features of an image: the output of one layer of a trained Deeplearning4j or Keras network. */
public final class FeatureExtractor {
    /** The network that this process read last; the tasks of a corpus share it. */
    private static LoadedNetwork cached;

    private FeatureExtractor() {}

    /**
     * @param file path for Hadoop: a zip of Deeplearning4j's {@code ModelSerializer} or an HDF5 file of Keras
     * @param image {@code [3, side, side]}, from 0 to 255
     * @return the layer's output in row-major order
     */
    public static synchronized float[] features(
            String file, String layer, int[] image, int side, Configuration hadoop) {
        return Natives.withThreads(1, () -> {
            if (cached == null || !cached.file.equals(file)) {
                cached = read(file, hadoop);
            }
            return cached.features(layer, image, side);
        });
    }

    private static LoadedNetwork read(String file, Configuration hadoop) {
        Path path = new Path(file);
        File local = null;
        try {
            local = File.createTempFile("network", "." + path.getName());
            path.getFileSystem(hadoop).copyToLocalFile(false, path, new Path(local.toURI()), true);
            return isKeras(path) ? keras(file, local) : deeplearning4j(file, local);
        } catch (IOException
                | RuntimeException
                | InvalidKerasConfigurationException
                | UnsupportedKerasConfigurationException e) {
            throw new ConfigurationException(
                    "model.image.network = " + file + " is not a readable Deeplearning4j zip or Keras .h5 file: "
                            + ExceptionUtils.getRootCauseMessage(e),
                    e);
        } finally {
            FileUtils.deleteQuietly(local);
        }
    }

    private static boolean isKeras(Path path) {
        return path.getName().toLowerCase(Locale.ROOT).matches(".*\\.(h5|hdf5|keras)");
    }

    private static LoadedNetwork keras(String file, File local)
            throws IOException, InvalidKerasConfigurationException, UnsupportedKerasConfigurationException {
        DataNormalization scaler = new ImagePreProcessingScaler(-1, 1);
        try {
            // Otherwise HDF5 prints its own stack trace in addition to the exception.
            hdf5.H5Eset_auto2(hdf5.H5E_DEFAULT, null, null);
        } catch (LinkageError e) {
            throw new ConfigurationException(
                    "model.image.network = " + file + " is a Keras file, and Unroll's jar for this platform has no HDF5"
                            + " library that loads (" + ExceptionUtils.getRootCauseMessage(e)
                            + "): convert the network to a Deeplearning4j zip on another platform.",
                    e);
        }
        try (Hdf5Archive archive = new Hdf5Archive(local.getPath())) {
            ClassNames.checkKeras(archive.readAttributeAsJson("model_config"));
        }
        try {
            return new LoadedNetwork(
                    file, null, KerasModelImport.importKerasModelAndWeights(local.getPath(), false), scaler);
        } catch (InvalidKerasConfigurationException e) {
            return new LoadedNetwork(
                    file, KerasModelImport.importKerasSequentialModelAndWeights(local.getPath(), false), null, scaler);
        }
    }

    private static LoadedNetwork deeplearning4j(String file, File local) throws IOException {
        try (InputStream in = new BufferedInputStream(new FileInputStream(local))) {
            ImageNetworkZip zip = ImageNetworkZip.read(in);
            DataNormalization stored = zip.normalizer();
            DataNormalization scaler = stored == null ? new ImagePreProcessingScaler(-1, 1) : stored;
            return new LoadedNetwork(file, zip.layers(), zip.graph(), scaler);
        }
    }

    /** One of {@code layers} and {@code graph} is null. */
    private record LoadedNetwork(
            String file, MultiLayerNetwork layers, ComputationGraph graph, DataNormalization scaler) {
        float[] features(String layer, int[] image, int side) {
            List<String> names =
                    layers == null ? graph.getConfiguration().getTopologicalOrderStr() : layers.getLayerNames();
            int index = names.indexOf(layer);
            if (index < 0) {
                throw new ConfigurationException("model.image.layer: " + file + " has no layer " + layer
                        + "; its layers are " + String.join(", ", names) + ".");
            }
            try {
                INDArray output = output(layer, index, input(image, side));
                return output.dup('c').data().asFloat();
            } catch (RuntimeException e) {
                throw new UnrollException(
                        file + " cannot read images of 3 x " + side + " x " + side + " (model.image.side): "
                                + e.getMessage(),
                        e);
            }
        }

        private INDArray output(String layer, int index, INDArray input) {
            if (layers != null) {
                List<INDArray> outputs = layers.feedForwardToLayer(index, input, false);
                return outputs.get(outputs.size() - 1);
            }
            return graph.feedForward(input, false).get(layer);
        }

        private INDArray input(int[] image, int side) {
            INDArray pixels = PixelShape.values(new int[][] {image}, side);
            scaler.transform(pixels);
            return channelsLast() ? pixels.permute(0, 2, 3, 1).dup('c') : pixels;
        }

        private boolean channelsLast() {
            Layer[] allLayers = layers == null ? graph.getLayers() : layers.getLayers();
            return Arrays.stream(allLayers)
                    .map(layer -> layer.conf().getLayer())
                    .filter(ConvolutionLayer.class::isInstance)
                    .findFirst()
                    .map(first -> ((ConvolutionLayer) first).getCnn2dDataFormat() == CNN2DFormat.NHWC)
                    .orElse(false);
        }
    }
}
