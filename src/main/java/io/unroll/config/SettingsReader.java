package io.unroll.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads {@link Settings}: reference.conf, under the run's file, under {@code key=value} overrides. */
public final class SettingsReader {
    private static final String COMMAND_LINE = "the command line";

    private static final Config REFERENCE = ConfigFactory.parseResources(SettingsReader.class, "reference.conf");

    /** The corpus is compared by its content. */
    private static final Set<String> INDIFFERENT = Set.of(
            "run.directory",
            "run.overwrite",
            "run.checkpoint.every",
            "run.checkpoint.keep",
            "corpus.path",
            "corpus.images",
            "corpus.prepared",
            "model.image.network");

    private static final Pattern NETWORK = Pattern.compile("task|corpus\\.(target-)?tokenizer"
            + "|model\\.(?!dropout|.*-dropout|label-smoothing|precision|emulate-bfloat16|image\\.network).*");

    private final Config config;

    private SettingsReader(Config config) {
        this.config = config;
    }

    /** @throws ConfigurationException naming file, line and key of the first thing that is wrong */
    public static Settings read(Path file, List<String> overrides) {
        if (!Files.isRegularFile(file)) {
            throw new ConfigurationException(
                    file + (Files.isDirectory(file) ? " is a folder" : ": no such configuration file")
                            + ". Start from conf/quickstart.conf; conf/reference.conf has " + "every key.");
        }
        return settings(() -> ConfigFactory.parseFile(file.toFile()), overrides);
    }

    /**
     * Reads settings that are stored with a model or a checkpoint. They may be of others, so nothing in them is looked up:
     * no other file, no address, no variable of the environment.
     *
     * @param origin where the text comes from, for messages
     */
    public static Settings parse(String text, String origin) {
        var options = ConfigParseOptions.defaults()
                .setSyntax(ConfigSyntax.CONF)
                .setOriginDescription(origin)
                .setIncluder(new NoIncluder(origin));
        return settings(
                () -> {
                    Config stored = ConfigFactory.parseString(text, options);
                    if (!stored.isResolved()) {
                        throw new ConfigurationException(
                                origin + " has a ${...}, which stored settings may not have: put the value there.");
                    }
                    return stored;
                },
                List.of());
    }

    /** @param overrides {@code key=value}, which stand above what the settings have been given */
    public static Settings with(Settings settings, List<String> overrides) {
        return settings(() -> ConfigFactory.parseString(settings.text()), overrides);
    }

    private interface Source {
        Config parse();
    }

    private static Settings settings(Source source, List<String> overrides) {
        try {
            Config given = overridden(source.parse(), overrides);
            checkKeys("", given.root(), REFERENCE.root());
            return new SettingsReader(given.withFallback(REFERENCE).resolve()).settings();
        } catch (ConfigException e) {
            throw new ConfigurationException(sentence(e), e);
        } catch (StackOverflowError e) {
            throw new ConfigurationException("The configuration has too many groups in one another.", e);
        }
    }

    private static String sentence(ConfigException e) {
        String message = e.getMessage().replaceFirst("^\\w+: [^ ]*: (?=.*: \\d+: )", "");
        String mended =
                message.replaceFirst("\\(Reserved character.*", "(in such a value, put quotation marks around it)");
        return mended.endsWith(".") ? mended : mended + ".";
    }

    private static Config overridden(Config config, List<String> overrides) {
        for (String override : overrides) {
            int equals = override.indexOf('=');
            if (equals < 1) {
                throw new ConfigurationException("\"" + override + "\" is not of the form key=value.");
            }
            Object value = override.substring(equals + 1);
            config = config.withValue(
                    override.substring(0, equals).strip(), ConfigValueFactory.fromAnyRef(value, COMMAND_LINE));
        }
        return config;
    }

    private static void checkKeys(String prefix, ConfigObject given, ConfigObject known) {
        for (Map.Entry<String, ConfigValue> entry : given.entrySet()) {
            String key = prefix + entry.getKey();
            ConfigValue twin = known.get(entry.getKey());
            if (twin == null) {
                throw unknown(key, entry.getValue());
            }
            String where = where(entry.getValue().origin());
            if (twin instanceof ConfigObject knownGroup) {
                if (!(entry.getValue() instanceof ConfigObject group)) {
                    throw new ConfigurationException(where + key + " is a group of keys: write " + key + " { ... }.");
                }
                checkKeys(key + ".", group, knownGroup);
            } else if (entry.getValue() instanceof ConfigObject) {
                throw new ConfigurationException(where + key + " takes one value, not a group of keys.");
            }
        }
    }

    /** A group is known by its first key. */
    private static ConfigurationException unknown(String key, ConfigValue value) {
        if (value instanceof ConfigObject group && !group.isEmpty()) {
            Map.Entry<String, ConfigValue> first = Collections.min(group.entrySet(), Map.Entry.comparingByKey());
            return unknown(key + "." + first.getKey(), first.getValue());
        }
        return new ConfigurationException(where(value.origin()) + "unknown key " + key + "; did you mean "
                + Words.nearest(key, keys("", REFERENCE.root())) + "?");
    }

    private static List<String> keys(String prefix, ConfigObject object) {
        List<String> keys = new ArrayList<>();
        for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
            String key = prefix + entry.getKey();
            if (entry.getValue() instanceof ConfigObject group) {
                keys.addAll(keys(key + ".", group));
            } else {
                keys.add(key);
            }
        }
        return keys;
    }

    private Settings settings() {
        try {
            return new Settings(
                    new Settings.Run(
                            text("run.directory"),
                            whole("run.seed", Long.MAX_VALUE),
                            flag("run.overwrite"),
                            new Settings.Checkpoint(number("run.checkpoint.every"), number("run.checkpoint.keep"))),
                    choice("task", Settings.TaskName.class),
                    corpus(),
                    model(),
                    training(),
                    new Settings.Cluster(number("cluster.replicas"), number("cluster.threads"), averaging()),
                    rendered());
        } catch (InvalidSettingException e) {
            throw new ConfigurationException(where(config.getValue(e.key()).origin()) + e.getMessage(), e);
        }
    }

    private Settings.Corpus corpus() {
        return new Settings.Corpus(
                text("corpus.path"),
                text("corpus.prepared"),
                choice("corpus.tokenizer", Settings.TokenizerName.class),
                choice("corpus.target-tokenizer", Settings.TokenizerName.class),
                decimal("corpus.validation"),
                decimal("corpus.test"),
                choice("corpus.documents", Settings.Documents.class),
                number("corpus.min-count"),
                number("corpus.max-vocabulary"),
                choice("corpus.malformed", Settings.Malformed.class),
                choice("corpus.format", Settings.Format.class),
                flag("corpus.header"),
                columns(),
                text("corpus.images"));
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
                        text("model.image.network"),
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
                text("training.start-from"));
    }

    private Settings.Averaging averaging() {
        String key = "cluster.averaging.every";
        String every = text(key);
        boolean chunks = every.matches("[1-9]\\d{0,8}");
        InvalidSettingException.check(
                chunks || every.equals("epoch"), key, every, "epoch, or a number of chunks of 1 or more");
        var method = choice("cluster.averaging.method", Settings.AveragingMethod.class);
        return new Settings.Averaging(
                chunks ? Integer.parseInt(every) : Settings.Averaging.EPOCH,
                method,
                decimalOrAuto("cluster.averaging.learning-rate", method.learningRate()),
                decimalOrAuto("cluster.averaging.momentum", method.momentum(number("cluster.replicas"))),
                choice("cluster.averaging.updater", Settings.Updater.class));
    }

    private double decimalOrAuto(String key, double auto) {
        return text(key).equalsIgnoreCase("auto") ? auto : decimal(key);
    }

    /**
     * Compares what decides a run's result: not where its files lie, nor when they are written.
     *
     * @param origin where the other settings come from, for messages
     * @return for each key that differs, its two values
     */
    public static List<String> differences(Settings settings, String other, String origin) {
        return differences(settings, other, origin, key -> !INDIFFERENT.contains(key));
    }

    /** The same of what decides what a network's weights mean. */
    public static List<String> differencesOfNetworks(Settings settings, String other, String origin) {
        return differences(settings, other, origin, NETWORK.asMatchPredicate());
    }

    private static List<String> differences(Settings settings, String other, String origin, Predicate<String> matters) {
        Config mine = ConfigFactory.parseString(settings.text());
        Config theirs = ConfigFactory.parseString(parse(other, origin).text()).withFallback(REFERENCE);
        return keys("", REFERENCE.root()).stream()
                .filter(matters)
                .filter(key -> !mine.getString(key).equals(theirs.getString(key)))
                .sorted()
                .map(key -> key + " is " + mine.getString(key) + ", and was " + theirs.getString(key))
                .toList();
    }

    private String rendered() {
        return config.root()
                .render(ConfigRenderOptions.defaults().setOriginComments(false).setJson(false));
    }

    private String text(String key) {
        return config.getString(key);
    }

    private boolean flag(String key) {
        return config.getBoolean(key);
    }

    private int number(String key) {
        return (int) whole(key, Integer.MAX_VALUE);
    }

    private double decimal(String key) {
        try {
            return config.getDouble(key);
        } catch (ConfigException.WrongType e) {
            InvalidSettingException.check(false, key, config.getValue(key).unwrapped(), "a number");
            throw e;
        }
    }

    private long whole(String key, long largest) {
        double value = decimal(key);
        InvalidSettingException.check(
                value == Math.rint(value) && Math.abs(value) <= largest,
                key,
                config.getString(key),
                "a whole number of at most " + largest);
        return config.getLong(key);
    }

    private <E extends Enum<E>> E choice(String key, Class<E> type) {
        Map<String, E> choices = Arrays.stream(type.getEnumConstants())
                .collect(Collectors.toMap(Words::kebab, choice -> choice, (a, b) -> a, java.util.LinkedHashMap::new));
        String value = text(key).toLowerCase(Locale.ROOT);
        InvalidSettingException.check(
                choices.containsKey(value), key, text(key), Words.oneOf(List.copyOf(choices.keySet())));
        return choices.get(value);
    }

    private static String where(ConfigOrigin origin) {
        if (origin.description().equals(COMMAND_LINE)) {
            return COMMAND_LINE + ": ";
        }
        if (origin.filename() == null) {
            return "";
        }
        Path file = Path.of(origin.filename());
        Path here = Path.of("").toAbsolutePath();
        Path shown = file.startsWith(here) ? here.relativize(file) : file;
        return shown + (origin.lineNumber() > 0 ? ":" + origin.lineNumber() : "") + ": ";
    }
}
