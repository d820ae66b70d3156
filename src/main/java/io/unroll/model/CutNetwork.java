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

/** A trained network of Deeplearning4j or Keras, of which the output of one layer says what is in an image. */
public final class CutNetwork {
    /** The one that this process has read last: tasks of one corpus share it. */
    private static Cut held;

    private CutNetwork() {}

    /**
     * @param file any that Hadoop reads: a zip of Deeplearning4j's {@code ModelSerializer}, or HDF5 of Keras
     * @param image {@code [3, side, side]} in 0 to 255
     * @return the layer's output, channel by channel where it has channels
     */
    public static synchronized float[] features(
            String file, String layer, int[] image, int side, Configuration hadoop) {
        return Natives.use(1, () -> {
            if (held == null || !held.file.equals(file)) {
                held = read(file, hadoop);
            }
            return held.features(layer, image, side);
        });
    }

    private static Cut read(String file, Configuration hadoop) {
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
                    "model.image.network = " + file + " is no readable network, a zip of Deeplearning4j or Keras' .h5: "
                            + ExceptionUtils.getRootCauseMessage(e),
                    e);
        } finally {
            FileUtils.deleteQuietly(local);
        }
    }

    private static boolean isKeras(Path path) {
        return path.getName().toLowerCase(Locale.ROOT).matches(".*\\.(h5|hdf5|keras)");
    }

    private static Cut keras(String file, File local)
            throws IOException, InvalidKerasConfigurationException, UnsupportedKerasConfigurationException {
        DataNormalization scaler = new ImagePreProcessingScaler(-1, 1);
        // It would print a stack of its own for what an exception says anyway.
        hdf5.H5Eset_auto2(hdf5.H5E_DEFAULT, null, null);
        try (Hdf5Archive archive = new Hdf5Archive(local.getPath())) {
            ClassNames.checkKeras(archive.readAttributeAsJson("model_config"));
        }
        try {
            return new Cut(file, null, KerasModelImport.importKerasModelAndWeights(local.getPath(), false), scaler);
        } catch (InvalidKerasConfigurationException e) {
            return new Cut(
                    file, KerasModelImport.importKerasSequentialModelAndWeights(local.getPath(), false), null, scaler);
        }
    }

    private static Cut deeplearning4j(String file, File local) throws IOException {
        try (InputStream in = new BufferedInputStream(new FileInputStream(local))) {
            ImageNetworkZip zip = ImageNetworkZip.read(in);
            DataNormalization own = zip.normalizer();
            return new Cut(file, zip.layers(), zip.graph(), own == null ? new ImagePreProcessingScaler(-1, 1) : own);
        }
    }

    /** One of the two kinds of networks; the other is null. */
    private record Cut(String file, MultiLayerNetwork layers, ComputationGraph graph, DataNormalization scaler) {
        float[] features(String layer, int[] image, int side) {
            List<String> names =
                    layers == null ? graph.getConfiguration().getTopologicalOrderStr() : layers.getLayerNames();
            int place = names.indexOf(layer);
            if (place < 0) {
                throw new ConfigurationException("model.image.layer: " + file + " has no layer " + layer
                        + "; its layers are " + String.join(", ", names) + ".");
            }
            try {
                INDArray output = output(layer, place, input(image, side));
                return output.dup('c').data().asFloat();
            } catch (RuntimeException e) {
                throw new UnrollException(
                        file + " cannot read images of 3 x " + side + " x " + side + " (model.image.side): "
                                + e.getMessage(),
                        e);
            }
        }

        private INDArray output(String layer, int place, INDArray input) {
            if (layers != null) {
                List<INDArray> outputs = layers.feedForwardToLayer(place, input, false);
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
            Layer[] all = layers == null ? graph.getLayers() : layers.getLayers();
            return Arrays.stream(all)
                    .map(each -> each.conf().getLayer())
                    .filter(ConvolutionLayer.class::isInstance)
                    .findFirst()
                    .map(first -> ((ConvolutionLayer) first).getCnn2dDataFormat() == CNN2DFormat.NHWC)
                    .orElse(false);
        }
    }
}
