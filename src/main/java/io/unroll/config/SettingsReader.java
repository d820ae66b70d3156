package io.unroll.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;

/**
 * Reads {@link Settings}. {@code key=value} overrides take precedence over the configuration file, and the file over
 * the defaults in reference.conf.
 */
public final class SettingsReader {
    private static final String COMMAND_LINE = "the command line";

    private static final String REFERENCE_NAME = "io/unroll/config/reference.conf";

    private static final Config REFERENCE = ConfigFactory.parseResources(SettingsReader.class, "reference.conf");

    private static final KnownKeys KNOWN_KEYS = new KnownKeys(REFERENCE);

    private static final Pattern KEY = Pattern.compile("[\\w-]+(\\.([\\w-]+|\"[^\"]+\"))*");

    private static final int MAX_SHOWN = 200;

    /** Fragments of the HOCON parser's messages, each with the message that the user gets instead. */
    private static final List<Map.Entry<String, String>> SYNTAX_ERRORS = List.of(
            Map.entry("unescaped newline", "a quotation mark is opened, but not closed on the same line"),
            Map.entry("was not closed with a }", "${ is not closed by }"),
            Map.entry("followed by token", "a key must be followed by = and a value"),
            Map.entry("end of file", "a value or a closing brace is missing at the end of the file"),
            Map.entry("unbalanced close brace", "there is a closing brace without an opening brace"),
            Map.entry("Reserved character", "such a value needs quotation marks around it"),
            Map.entry("end of input or a comma", "such a value needs quotation marks around it, or a line of its own"),
            Map.entry("LIST rather than object", "it is a list, but a configuration has lines of the form key = value"),
            Map.entry("Cannot concatenate", "a list or a group of keys cannot be joined to a plain value"));

    /** Keys that do not affect the result of a run. The corpus is compared by content, not by path. */
    private static final Set<String> NOT_COMPARED = Set.of(
            "run.directory",
            "run.overwrite",
            "run.checkpoint.every",
            "run.checkpoint.keep",
            "corpus.path",
            "corpus.table",
            "corpus.query",
            "corpus.images",
            "corpus.prepared",
            "model.image.network");

    private static final String EPOCHS = "training.epochs";

    private static final Pattern ARCHITECTURE = Pattern.compile(
            "task|corpus\\.(target-)?tokenizer"
                    + "|model\\.(?!dropout|.*-dropout|label-smoothing|precision|recurrence|emulate-bfloat16|image\\.network).*");

    /** Keys whose values are paths, local or on another file system. */
    private static final List<String> PATH_KEYS = List.of(
            "run.directory",
            "corpus.path",
            "corpus.prepared",
            "corpus.images",
            "model.image.network",
            "training.start-from");

    private SettingsReader() {}

    /** @throws ConfigurationException for the first error, with its file, line and key */
    public static Settings read(Path file, List<String> overrides) {
        return settings(() -> new ConfigurationFile(file).parse(), overrides, displayed(file), UserPath::expanded);
    }

    /**
     * Reads settings that are stored with a model or a checkpoint. They are untrusted, so they must not include files
     * or URLs, or refer to environment variables.
     *
     * @param origin where the text comes from, for messages
     */
    public static Settings parse(String text, String origin) {
        FileIncluder none = (included, isFile) -> {
            throw new ConfigurationException(
                    origin + " includes " + included + ", but stored settings must not include anything.");
        };
        var options = ConfigParseOptions.defaults()
                .setSyntax(ConfigSyntax.CONF)
                .setOriginDescription(origin)
                .setIncluder(none);
        return settings(
                () -> {
                    Config stored = ConfigFactory.parseString(text, options);
                    if (!stored.isResolved()) {
                        throw new ConfigurationException(
                                origin + " has a ${...}, which is not allowed in stored settings: replace it by its "
                                        + "value.");
                    }
                    return stored;
                },
                List.of(),
                origin,
                SettingsReader::plainPath);
    }

    /** @return whether the text has the form of a key: names with dots between, with quotation marks if they need them */
    public static boolean isKey(String text) {
        return KEY.matcher(text).matches();
    }

    /** Returns the settings with {@code key=value} overrides applied. */
    public static Settings override(Settings settings, List<String> overrides) {
        return settings(
                () -> ConfigFactory.parseString(settings.text()), overrides, "the settings", UserPath::expanded);
    }

    /**
     * @param origin where the settings come from, for messages
     * @param paths converts each path, as it is written or stored
     */
    private static Settings settings(
            Supplier<Config> source, List<String> overrides, String origin, UnaryOperator<String> paths) {
        try {
            Config given = withOverrides(source.get(), overrides);
            KNOWN_KEYS.check(given.root());
            Config resolved = given.withFallback(REFERENCE).resolve();
            KNOWN_KEYS.check(resolved.root());
            return checked(withNamesAsWritten(withPaths(resolved, paths)), origin);
        } catch (ConfigException e) {
            throw new ConfigurationException(location(e.origin(), origin) + message(e), e);
        } catch (StackOverflowError e) {
            throw new ConfigurationException(origin + ": its groups or lists are nested too deeply.", e);
        }
    }

    private static Settings checked(Config config, String origin) {
        ConfigRenderOptions hocon =
                ConfigRenderOptions.defaults().setOriginComments(false).setJson(false);
        try {
            ObjectNode values = SettingValues.tree(config.root(), REFERENCE.root());
            return SettingValues.read(values.put("text", config.root().render(hocon)), Settings.class);
        } catch (InvalidSettingException e) {
            throw new ConfigurationException(location(origin(config, e.key()), origin) + e.getMessage(), e);
        }
    }

    /** @param key in which quoted names, such as labels, are not quoted */
    private static ConfigOrigin origin(Config config, String key) {
        return config.entrySet().stream()
                .filter(entry ->
                        String.join(".", ConfigUtil.splitPath(entry.getKey())).equals(key))
                .map(entry -> entry.getValue().origin())
                .findFirst()
                .orElse(null);
    }

    private static String message(ConfigException e) {
        String message = e.getMessage();
        if (e instanceof ConfigException.UnresolvedSubstitution) {
            String name = message.replaceFirst("(?s).*?(\\$\\{[^}]*}).*", "$1");
            return name
                    + (message.contains("cycle")
                            ? " refers to itself."
                            : " is neither a key of the configuration nor an environment variable.");
        }
        for (Map.Entry<String, String> error : SYNTAX_ERRORS) {
            if (message.contains(error.getKey())) {
                return error.getValue() + ".";
            }
        }
        String unlocated = message.replaceFirst("^(?:.*?: )??\\d+: ", "")
                .replaceFirst(" \\((?:if you intended|Reserved).*", "")
                .replaceAll("\\p{Cntrl}+", " ");
        return "invalid HOCON: " + StringUtils.abbreviate(unlocated, MAX_SHOWN).replaceFirst("\\.$", "") + ".";
    }

    private static Config withOverrides(Config config, List<String> overrides) {
        for (String override : overrides) {
            int separator = override.indexOf('=');
            if (separator < 1) {
                throw new ConfigurationException("\"" + override + "\" is not of the form key=value.");
            }
            String key = override.substring(0, separator).strip();
            ConfigValue value =
                    ConfigValueFactory.fromAnyRef(unquoted(key, override.substring(separator + 1)), COMMAND_LINE);
            if (!isKey(key)) {
                throw KNOWN_KEYS.unknown(key, value);
            }
            config = config.withValue(key, value);
        }
        return config;
    }

    /**
     * Removes quotation marks around a value, which are allowed as in a configuration file; a query may have others, such
     * as {@code WHERE day = 'a'}.
     */
    private static String unquoted(String key, String value) {
        for (String quote : List.of("\"", "'")) {
            int marks = StringUtils.countMatches(value, quote);
            boolean quoted = value.startsWith(quote);
            if (marks == 1 && (quoted || value.endsWith(quote))) {
                throw new ConfigurationException(COMMAND_LINE + ": the value of " + key + " is " + value
                        + ", with a quotation mark at one end only: remove it, or add the other one.");
            }
            if (quoted && value.endsWith(quote) && marks == 2) {
                return value.substring(1, value.length() - 1);
            }
        }
        return value;
    }

    /** Returns names that look like numbers, such as 007 or 1e400, as texts: a number would be stored in another form. */
    private static Config withNamesAsWritten(Config config) {
        for (Map.Entry<String, ConfigValue> entry : config.entrySet()) {
            if (entry.getValue().valueType() == ConfigValueType.NUMBER && !isNumber(entry.getKey())) {
                config = withText(config, entry.getKey(), config.getString(entry.getKey()));
            }
        }
        return config;
    }

    private static boolean isNumber(String key) {
        Config known = REFERENCE.resolve();
        return known.hasPath(key) && known.getValue(key).valueType() == ConfigValueType.NUMBER;
    }

    private static Config withPaths(Config config, UnaryOperator<String> paths) {
        for (String key : PATH_KEYS) {
            try {
                config = withText(config, key, paths.apply(config.getString(key)));
            } catch (ConfigurationException e) {
                String location = location(config.getValue(key).origin(), "");
                throw new ConfigurationException(location + key + " is " + e.getMessage(), e);
            }
        }
        return config;
    }

    private static Config withText(Config config, String key, Object text) {
        ConfigOrigin origin = config.getValue(key).origin();
        return config.withValue(key, ConfigValueFactory.fromAnyRef(text).withOrigin(origin));
    }

    /**
     * Compares the settings that determine a run's result; ignores paths and checkpoint intervals. A larger
     * number of epochs is not a difference, unless the learning-rate schedule depends on it.
     *
     * @param stored the earlier settings, as stored by a run
     * @param origin where the stored settings come from, for messages
     * @return a text for each key that differs, with both values
     */
    public static List<String> differences(Settings settings, String stored, String origin) {
        int epochs = settings.training().epochs();
        int epochsBefore = parse(stored, origin).training().epochs();
        Settings.Schedule schedule = settings.training().schedule();
        List<String> differences = new ArrayList<>(
                differences(settings, stored, origin, key -> !NOT_COMPARED.contains(key) && !key.equals(EPOCHS)));
        if (epochs < epochsBefore || (epochs > epochsBefore && schedule.dependsOnEpochs())) {
            differences.add(EPOCHS + " is " + epochs + ", and was " + epochsBefore
                    + (schedule.dependsOnEpochs()
                            ? "; training.schedule = " + SettingNames.kebab(schedule) + " depends on it"
                            : ""));
        }
        return differences;
    }

    /** Like {@link #differences}, for the keys that determine the architecture and the tokenizers. */
    public static List<String> architectureDifferences(Settings settings, String stored, String origin) {
        return differences(settings, stored, origin, ARCHITECTURE.asMatchPredicate());
    }

    private static List<String> differences(
            Settings settings, String stored, String origin, Predicate<String> compared) {
        Map<String, String> current = values(settings);
        Map<String, String> earlier = values(parse(stored, origin));
        return Stream.concat(current.keySet().stream(), earlier.keySet().stream())
                .distinct()
                .filter(compared)
                .filter(key -> !Objects.equals(current.get(key), earlier.get(key)))
                .filter(key -> !isDerived(key, settings.text()) || !isDerived(key, stored))
                .sorted()
                .map(key -> key + " is " + current.getOrDefault(key, "not set") + ", and was "
                        + earlier.getOrDefault(key, "not set"))
                .toList();
    }

    private static Map<String, String> values(Settings settings) {
        Config config = ConfigFactory.parseString(settings.text());
        return config.entrySet().stream()
                .map(Map.Entry::getKey)
                .collect(Collectors.toMap(Function.identity(), config::getString));
    }

    /** @return whether the value follows from other keys, as {@code model.embedding} does from {@code model.hidden} */
    private static boolean isDerived(String key, String text) {
        Config config = ConfigFactory.parseString(text);
        Config others = config.withoutPath(key).withFallback(REFERENCE).resolve();
        return config.hasPath(key)
                && others.hasPath(key)
                && others.getString(key).equals(config.getString(key));
    }

    /** @return the path, with {@code ./} before a relative path that looks like a URI, such as {@code 12:00.log} */
    public static String plainPath(String path) {
        return path.matches("(?s)[^/]*:(?!/).*") ? "./" + path : path;
    }

    /** @param source where the settings come from, for values that are defaults */
    static String location(ConfigOrigin origin, String source) {
        if (origin != null && origin.description().equals(COMMAND_LINE)) {
            return COMMAND_LINE + ": ";
        }
        boolean isDefault = origin == null || origin.description().contains(REFERENCE_NAME);
        String file = isDefault || origin.filename() == null ? source : displayed(Path.of(origin.filename()));
        String line = isDefault || origin.lineNumber() < 1 ? "" : ":" + origin.lineNumber();
        return file.isEmpty() ? "" : file + line + ": ";
    }

    private static String displayed(Path file) {
        Path workingDirectory = Path.of("").toAbsolutePath();
        return (file.startsWith(workingDirectory) ? workingDirectory.relativize(file) : file).toString();
    }
}
