package io.unroll.cli;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingsReader;
import io.unroll.config.UserPath;
import io.unroll.spark.TableOutput;
import io.unroll.task.Score;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;

/**
 * What a model is evaluated on: files, or a table or query of Spark.
 *
 * @param files paths; none for a table or query
 * @param settings changes of the model's settings, each key=value
 */
record EvaluatedText(List<String> files, List<String> settings) {
    static final String DESCRIPTION =
            "Files, folders or globs; or, for rows, corpus.table=NAME or corpus.query=SELECT... "
                    + "Another key=value overrides a setting stored with the model, for this command only: corpus.images, "
                    + "corpus.malformed, corpus.format, corpus.header, corpus.options.* or corpus.columns.*";

    private static final Pattern SETTING = Pattern.compile("(corpus|model|training|cluster|run)\\.[a-zA-Z.-]+=.*");
    private static final Pattern SOURCE = Pattern.compile("corpus\\.(path|table|query)=.*");
    private static final Pattern ALLOWED =
            Pattern.compile("corpus\\.(table|query|images|malformed|format|header|options\\..*|columns\\..*)");
    private static final Pattern ALLOWED_WITH_PART = Pattern.compile("corpus\\.(path|table|query|prepared|images)");

    /** @param arguments of the command line: files and settings */
    static EvaluatedText of(List<String> arguments) {
        List<String> files = new ArrayList<>();
        List<String> settings = new ArrayList<>();
        for (String argument : arguments) {
            if (SETTING.matcher(argument).matches()) {
                settings.add(argument);
            } else {
                files.add(UserPath.expanded(argument));
            }
        }
        return new EvaluatedText(files, settings);
    }

    /** @return whether a table or query is given */
    boolean isTable() {
        return settings.stream().anyMatch(SOURCE.asMatchPredicate());
    }

    /** @return the files, table or query, for messages */
    String name(TrainedModel model) {
        return files.isEmpty() ? model.settings().corpus().source() : String.join(", ", files);
    }

    /** @throws ConfigurationException unless files, or else a table or query, are given */
    void check(Configuration hadoop) {
        if (files.isEmpty() != isTable()) {
            throw new ConfigurationException(
                    isTable()
                            ? "both files and a table or query are given: leave one of them out."
                            : "no input is given: add files, corpus.table=NAME or corpus.query=SELECT...");
        }
        PathChecks.check("TEXT", files, hadoop);
    }

    /**
     * Checks the paths, reads a model and applies the settings.
     *
     * @param output where the results will be written
     */
    TrainedModel readModel(String model, TableOutput output, Configuration hadoop) {
        PathChecks.check("MODEL", model, hadoop);
        PathChecks.check("--out", output.folder(), hadoop);
        check(hadoop);
        output.check(files, hadoop);
        TrainedModel trained = applyTo(new ModelFolder(model, hadoop).read(), false);
        PathChecks.check("corpus.images", trained.settings().corpus().images(), hadoop);
        return trained;
    }

    /**
     * @param name what was evaluated, for messages
     * @throws ConfigurationException if nothing was scored
     */
    static Score score(Optional<Score> score, String name) {
        return score.filter(result -> result.loss().tokens() > 0)
                .orElseThrow(() -> new ConfigurationException(
                        name + ": fewer than two tokens, or no rows, so there is nothing to predict."));
    }

    /**
     * @param part whether a part of the model's own corpus, which may have been moved, is evaluated
     * @return the model with the settings; a table or query replaces the source of its corpus
     */
    TrainedModel applyTo(TrainedModel model, boolean part) {
        if (settings.isEmpty()) {
            return model;
        }
        List<String> changes = new ArrayList<>();
        if (isTable()) {
            changes.addAll(List.of("corpus.path=", "corpus.table=", "corpus.query="));
        }
        changes.addAll(settings);
        TrainedModel changed = model.withSettings(SettingsReader.override(model.settings(), changes));
        for (String setting : settings) {
            String key = setting.substring(0, setting.indexOf('='));
            if (!(part ? ALLOWED_WITH_PART : ALLOWED).matcher(key).matches()) {
                throw new ConfigurationException(setting + " cannot be given here: evaluation uses the " + key
                        + " of the training run. Leave it out.");
            }
        }
        changed.task(); // rejects settings that do not fit the task, before Spark starts
        return changed;
    }
}
