package io.unroll.task;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.CutNetwork;
import io.unroll.model.FeatureShape;
import io.unroll.text.MalformedRowException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;

/** What the network sees of an image's file, as {@code model.image} says: pixels, or features. */
record ImageInput(Settings.ImageInput settings) implements Serializable {
    /** @throws ConfigurationException where the network that reads images cannot be used */
    void check(Configuration hadoop) {
        if (!settings.network().isBlank()) {
            features(new int[pixels()], hadoop);
        }
    }

    /**
     * @return pixels, or the bits of features
     * @throws MalformedRowException where the file is no such image
     */
    int[] read(byte[] file, String name, Configuration hadoop) {
        if (isVector()) {
            return FeatureShape.bits(vector(file, name));
        }
        int[] pixels = Image.read(file, name, settings.side());
        return settings.features() == 0 ? pixels : FeatureShape.bits(features(pixels, hadoop));
    }

    /** @return numbers that are read of an image */
    int size() {
        return settings.features() > 0 ? settings.features() : pixels();
    }

    private int pixels() {
        return 3 * settings.side() * settings.side();
    }

    private float[] features(int[] pixels, Configuration hadoop) {
        float[] features = CutNetwork.features(settings.network(), settings.layer(), pixels, settings.side(), hadoop);
        if (features.length != settings.features()) {
            throw new ConfigurationException("model.image.features is " + settings.features() + ", and the layer "
                    + settings.layer() + " of " + settings.network() + " gives " + features.length + " numbers.");
        }
        return features;
    }

    private boolean isVector() {
        return settings.features() > 0 && settings.network().isBlank();
    }

    private float[] vector(byte[] file, String name) {
        float[] vector;
        try {
            vector = NumpyVector.read(file);
        } catch (IllegalArgumentException e) {
            throw new MalformedRowException(name + " is no vector in NumPy's format (.npy): " + e.getMessage());
        }
        if (vector.length != settings.features()) {
            throw new MalformedRowException(
                    name + " holds " + vector.length + " numbers, and model.image.features is " + settings.features());
        }
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new MalformedRowException(name + " holds " + value + ", which is no finite number");
            }
        }
        return vector;
    }
}
