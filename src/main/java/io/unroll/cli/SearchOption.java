package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Words;
import picocli.CommandLine.Option;

/** How the most probable answer is searched for. */
final class SearchOption {
    private static final int WIDEST = 1000;

    @Option(
            names = "--beam",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "seq2seq and captioning: keep the N most probable beginnings while the answer is searched for; 1 takes the "
                            + "most probable token at each step (default: ${DEFAULT-VALUE}).")
    private int beam;

    int beam(Model model) {
        if (beam < 1 || beam > WIDEST) {
            throw new ConfigurationException("--beam is " + beam + "; it must be from 1 to " + WIDEST + ".");
        }
        if (beam > 1 && !model.task().searches()) {
            throw new ConfigurationException("--beam is " + beam + ", and a model of task = "
                    + Words.kebab(model.settings().task()) + " has no answers that are searched for: leave it out.");
        }
        return beam;
    }
}
