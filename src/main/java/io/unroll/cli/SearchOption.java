package io.unroll.cli;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import picocli.CommandLine.Option;

/** The option {@code --beam} of {@code generate} and {@code evaluate}. */
final class SearchOption {
    private static final int MAX_BEAM = 1000;

    @Option(
            names = "--beam",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "seq2seq and captioning: width of the beam search, that is the number of partial outputs that it "
                            + "keeps; 1 is greedy decoding (default: ${DEFAULT-VALUE}).")
    private int beam;

    int beam(TrainedModel model) {
        ConfigurationException.check(beam >= 1 && beam <= MAX_BEAM, "--beam", beam, "from 1 to " + MAX_BEAM);
        if (beam > 1 && !model.task().usesBeamSearch()) {
            throw new ConfigurationException("--beam is " + beam + ", but models with task = "
                    + SettingNames.kebab(model.settings().task())
                    + " do not use beam search: leave it out.");
        }
        return beam;
    }
}
