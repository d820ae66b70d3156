package io.unroll.inference;

import io.unroll.checkpoint.Model;
import io.unroll.model.Network;
import io.unroll.text.Tokenizer;
import java.io.IOException;
import java.io.OutputStream;

/** Continues a text, token by token. */
public final class Generator {
    private final Model model;

    public Generator(Model model) {
        this.model = model;
    }

    /**
     * @param prime the text to continue; empty for the start of a line
     * @param length tokens to write after the prime
     * @param out gets the prime and then each token's UTF-8 as it comes
     */
    public void generate(String prime, int length, Sampler sampler, OutputStream out) throws IOException {
        Tokenizer.Decoder decoder = model.tokenizer().decoder(model.vocabulary());
        int[] start = model.tokenizer().encode(prime, model.vocabulary());
        for (int token : start) {
            out.write(decoder.decode(token));
        }
        try (Network network = model.network()) {
            float[] logits = read(network, start.length > 0 ? start : new int[] {lineStart()});
            for (int i = 0; i < length; i++) {
                int token = sampler.draw(logits);
                out.write(decoder.decode(token));
                out.flush();
                logits = network.next(token);
            }
        }
    }

    private static float[] read(Network network, int[] tokens) {
        float[] logits = null;
        for (int token : tokens) {
            logits = network.next(token);
        }
        return logits;
    }

    /** @return what stands before a line: its end, or the most frequent token where the text has no lines */
    private int lineStart() {
        int[] newline = {model.vocabulary().id("\n"), model.vocabulary().id("<eos>")};
        return Math.max(0, Math.max(newline[0], newline[1]));
    }
}
