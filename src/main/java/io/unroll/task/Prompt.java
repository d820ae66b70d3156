package io.unroll.task;

import io.unroll.config.ConfigurationException;
import java.util.List;
import java.util.function.ToIntFunction;
import org.apache.hadoop.conf.Configuration;

/**
 * What a user asks of a model.
 *
 * @param length tokens to write, where the answer has no end of its own
 * @param draw takes unnormalised log-probabilities, one a token, and gives one of the tokens
 * @param beam beginnings that are kept where the most probable answer is searched for
 * @param hadoop reads what the model's settings name
 */
public record Prompt(
        String text, List<File> images, int length, ToIntFunction<float[]> draw, int beam, Configuration hadoop) {
    /** A file, which the user knows by this name. */
    public record File(String name, byte[] content) {}

    /** A text to be continued. */
    public Prompt(String text, int length, ToIntFunction<float[]> draw) {
        this(text, List.of(), length, draw, 1, new Configuration(false));
    }

    /** @throws ConfigurationException where it shows an image, which the task does not see */
    Prompt ofText() {
        if (!images.isEmpty()) {
            throw new ConfigurationException(
                    "--image is given, and the model is none of task = captioning: give its text by --prime.");
        }
        return this;
    }
}
