package io.unroll.task;

import io.unroll.config.ConfigurationException;
import java.util.List;
import java.util.function.ToIntFunction;
import org.apache.hadoop.conf.Configuration;

/**
 * A user's request to a model.
 *
 * @param text the prompt: a text to continue, classify or translate
 * @param images the images to caption
 * @param length number of tokens to generate, for tasks whose output has no end token
 * @param sampler chooses the next token from the logits, {@code [vocabulary]}
 * @param beam width of the beam search, for tasks that use one
 * @param hadoop for reading files that the model's settings refer to
 */
public record Prompt(
        String text, List<File> images, int length, ToIntFunction<float[]> sampler, int beam, Configuration hadoop) {
    /** @param name the path that the user gave, for messages */
    public record File(String name, byte[] content) {}

    /** A text to continue. */
    public Prompt(String text, int length, ToIntFunction<float[]> sampler) {
        this(text, List.of(), length, sampler, 1, new Configuration(false));
    }

    /** @throws ConfigurationException if the prompt contains an image */
    Prompt requireTextOnly() {
        if (!images.isEmpty()) {
            throw new ConfigurationException("--image is for captioning models only: give the text with --prompt.");
        }
        return this;
    }
}
