package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import picocli.CommandLine.Option;

/** How the most probable answer is searched for. */
final class SearchOption {
    @Option(
            names = "--beam",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "seq2seq and captioning: keep the N most probable beginnings while the answer is searched for; 1 takes the "
                            + "most probable token at each step (default: ${DEFAULT-VALUE}).")
    private int beam;

    int beam() {
        if (beam < 1) {
            throw new ConfigurationException("--beam is " + beam + "; it must be 1 or more.");
        }
        return beam;
    }
}
