package io.unroll.task;

import io.unroll.chunk.Sequence;
import io.unroll.chunk.SequenceType;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.FeatureExtractor;
import io.unroll.text.MalformedRowException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;

/**
 * Converts an image file to the input of the image encoder, according to {@code model.image}: pixels, the features that
 * a network extracts, or features read from a .npy file.
 */
record ImageReader(Settings.ImageInput settings) implements Serializable {
    /** @throws ConfigurationException if the feature-extracting network cannot be used */
    void check(Configuration hadoop) {
        if (!settings.network().isBlank()) {
            features(new int[pixels()], hadoop);
        }
    }

    /** @throws MalformedRowException if the file is not a valid image or vector */
    Sequence read(byte[] file, String name, Configuration hadoop) {
        if (isVector()) {
            return new Sequence.Features(vector(file, name));
        }
        int[] pixels = Image.read(file, name, settings.side());
        return settings.features() == 0 ? Sequence.Pixels.of(pixels) : new Sequence.Features(features(pixels, hadoop));
    }

    SequenceType type() {
        return settings.features() > 0 ? SequenceType.FEATURES : SequenceType.PIXELS;
    }

    /** @return the bytes of what {@link #read} returns */
    long bytes() {
        return (long) type().bytes() * (settings.features() > 0 ? settings.features() : pixels());
    }

    private int pixels() {
        return 3 * settings.side() * settings.side();
    }

    private float[] features(int[] pixels, Configuration hadoop) {
        float[] features =
                FeatureExtractor.features(settings.network(), settings.layer(), pixels, settings.side(), hadoop);
        if (features.length != settings.features()) {
            throw new ConfigurationException("model.image.features is " + settings.features() + ", but the layer "
                    + settings.layer() + " of " + settings.network() + " has " + features.length + " outputs.");
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
            throw new MalformedRowException(name + " is not a valid NumPy file (.npy): " + e.getMessage());
        }
        if (vector.length != settings.features()) {
            throw new MalformedRowException(name + " contains " + vector.length
                    + " numbers, but model.image.features is " + settings.features());
        }
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new MalformedRowException(name + " contains " + value + "; all numbers must be finite");
            }
        }
        return vector;
    }
}
