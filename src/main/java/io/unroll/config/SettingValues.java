package io.unroll.config;

import static io.unroll.config.InvalidSettingException.check;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Converts a complete configuration, defaults included, into {@link Settings}. */
record SettingValues(Config config) {
    private static final int MAX_DIGITS = 400;

    /**
     * @param text the configuration as HOCON, which the settings keep
     * @throws InvalidSettingException if a value has the wrong type or is out of range
     */
    Settings settings(String text) {
        return new Settings(
                new Settings.Run(
                        path("run.directory"),
                        integer("run.seed", Long.MAX_VALUE),
                        flag("run.overwrite"),
                        checkpoint()),
                choice("task", Settings.TaskName.class),
                corpus(),
                model(),
                training(),
                new Settings.Cluster(number("cluster.replicas"), number("cluster.threads"), averaging()),
                text);
    }

    private Settings.Checkpoint checkpoint() {
        String key = "run.checkpoint.every";
        String every = text(key);
        boolean rounds = every.matches("\\d{1,9}");
        check(
                rounds || every.matches("[1-9]\\d{0,5} ?[smh]"),
                key,
                every,
                "a number of rounds, 0 (off) or more, or a time such as 30s, 5m or 1h");
        return new Settings.Checkpoint(
                rounds ? Integer.parseInt(every) : 0,
                rounds ? Duration.ZERO : config.getDuration(key),
                number("run.checkpoint.keep"));
    }

    private Settings.Corpus corpus() {
        String documents = "corpus.documents";
        check(text(documents).equalsIgnoreCase("stream"), documents, text(documents), "stream");
        return new Settings.Corpus(
                path("corpus.path"),
                path("corpus.prepared"),
                choice("corpus.tokenizer", Settings.TokenizerName.class),
                choice("corpus.target-tokenizer", Settings.TokenizerName.class),
                decimal("corpus.validation"),
                decimal("corpus.test"),
                number("corpus.min-count"),
                number("corpus.max-vocabulary"),
                choice("corpus.malformed", Settings.Malformed.class),
                choice("corpus.format", Settings.Format.class),
                flag("corpus.header"),
                columns(),
                path("corpus.images"));
    }

    private Map<String, String> columns() {
        return config.getConfig("corpus.columns").entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        entry -> String.valueOf(entry.getValue().unwrapped()),
                        (a, b) -> a,
                        TreeMap::new));
    }

    private Settings.Model model() {
        return new Settings.Model(
                choice("model.cell", Settings.Cell.class),
                choice("model.activation", Settings.Activation.class),
                flag("model.reset-after"),
                flag("model.peepholes"),
                number("model.layers"),
                number("model.hidden"),
                number("model.embedding"),
                new Settings.Regularization(
                        decimal("model.dropout"),
                        flag("model.locked-dropout"),
                        decimal("model.input-dropout"),
                        decimal("model.weight-dropout"),
                        decimal("model.label-smoothing")),
                flag("model.tied"),
                choice("model.attention", Settings.Attention.class),
                flag("model.bidirectional"),
                choice("model.pooling", Settings.Pooling.class),
                new Settings.ImageInput(
                        number("model.image.side"),
                        choice("model.image.inject", Settings.Inject.class),
                        number("model.image.features"),
                        path("model.image.network"),
                        text("model.image.layer")),
                choice("model.precision", Settings.Precision.class),
                flag("model.emulate-bfloat16"));
    }

    private Settings.Training training() {
        return new Settings.Training(
                number("training.epochs"),
                number("training.batch"),
                number("training.tbptt"),
                choice("training.optimizer", Settings.Optimizer.class),
                decimal("training.learning-rate"),
                choice("training.schedule", Settings.Schedule.class),
                decimal("training.decay"),
                number("training.decay-after"),
                number("training.patience"),
                decimal("training.clip-norm"),
                number("training.early-stopping"),
                path("training.start-from"));
    }

    private Settings.Averaging averaging() {
        String key = "cluster.averaging.every";
        String every = text(key);
        boolean chunks = every.matches("[1-9]\\d{0,8}");
        check(chunks || every.equals("epoch"), key, every, "epoch, or a number of chunks from 1 to 999999999");
        var method = choice("cluster.averaging.method", Settings.AveragingMethod.class);
        return new Settings.Averaging(
                chunks ? Integer.parseInt(every) : Settings.Averaging.EPOCH,
                method,
                decimalOrAuto("cluster.averaging.learning-rate", method.learningRate()),
                decimalOrAuto("cluster.averaging.momentum", method.momentum(number("cluster.replicas"))),
                choice("cluster.averaging.updater", Settings.Updater.class));
    }

    private String text(String key) {
        return config.getString(key);
    }

    private String path(String key) {
        return SettingsReader.plainPath(text(key));
    }

    private boolean flag(String key) {
        try {
            return config.getBoolean(key);
        } catch (ConfigException.WrongType e) {
            throw InvalidSettingException.of(key, text(key), "true or false");
        }
    }

    private int number(String key) {
        return (int) integer(key, Integer.MAX_VALUE);
    }

    private long integer(String key, long max) {
        String expected = "a whole number of at most " + max;
        try {
            long value = bigDecimal(key).longValueExact();
            check(value >= -max && value <= max, key, text(key), expected);
            return value;
        } catch (ArithmeticException e) {
            throw InvalidSettingException.of(key, text(key), expected);
        }
    }

    private double decimal(String key) {
        double value = bigDecimal(key).doubleValue();
        check(Double.isFinite(value), key, text(key), "a number of at most " + Double.MAX_VALUE);
        return value;
    }

    private double decimalOrAuto(String key, double auto) {
        return text(key).equalsIgnoreCase("auto") ? auto : decimal(key);
    }

    private BigDecimal bigDecimal(String key) {
        String number = text(key).strip();
        try {
            check(number.length() <= MAX_DIGITS, key, number, "a number");
            return new BigDecimal(number);
        } catch (NumberFormatException e) {
            throw InvalidSettingException.of(key, number, "a number");
        }
    }

    private <E extends Enum<E>> E choice(String key, Class<E> type) {
        Map<String, E> choices = Arrays.stream(type.getEnumConstants())
                .collect(Collectors.toMap(SettingNames::kebab, choice -> choice, (a, b) -> a, LinkedHashMap::new));
        String value = text(key).toLowerCase(Locale.ROOT);
        check(choices.containsKey(value), key, text(key), SettingNames.oneOf(List.copyOf(choices.keySet())));
        return choices.get(value);
    }
}
