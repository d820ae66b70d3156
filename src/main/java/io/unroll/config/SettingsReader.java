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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.commons.lang3.StringUtils;

/**
 * Reads {@link Settings}. {@code key=value} overrides take precedence over the configuration file, and the file over
 * the defaults in reference.conf.
 */
public final class SettingsReader {
    private static final String COMMAND_LINE = "the command line";

    private static final String REFERENCE_NAME = "io/unroll/config/reference.conf";

    private static final Config REFERENCE = ConfigFactory.parseResources(SettingsReader.class, "reference.conf");

    private static final Pattern KEY = Pattern.compile("[\\w-]+(\\.[\\w-]+)*");

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
            "corpus.images",
            "corpus.prepared",
            "model.image.network");

    private static final String EPOCHS = "training.epochs";

    private static final Pattern ARCHITECTURE = Pattern.compile("task|corpus\\.(target-)?tokenizer"
            + "|model\\.(?!dropout|.*-dropout|label-smoothing|precision|emulate-bfloat16|image\\.network).*");

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
        return settings(
                () -> new ConfigurationFile(file).parse(), overrides, displayed(file), SettingsReader::expandPaths);
    }

    /**
     * Reads settings that are stored with a model or a checkpoint. They are untrusted, so they must not include files
     * or URLs, or refer to environment variables.
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
                                origin + " has a ${...}, which is not allowed in stored settings: replace it by its "
                                        + "value.");
                    }
                    return stored;
                },
                List.of(),
                origin,
                config -> config);
    }

    /** Returns the settings with {@code key=value} overrides applied. */
    public static Settings override(Settings settings, List<String> overrides) {
        return settings(
                () -> ConfigFactory.parseString(settings.text()),
                overrides,
                "the settings",
                SettingsReader::expandPaths);
    }

    private interface Source {
        Config parse();
    }

    /**
     * @param origin where the settings come from, for messages
     * @param pathExpansion expands {@code ~} in the complete configuration; the identity for stored settings
     */
    private static Settings settings(
            Source source, List<String> overrides, String origin, UnaryOperator<Config> pathExpansion) {
        try {
            Config given = withOverrides(source.parse(), overrides);
            checkKeys("", given.root(), REFERENCE.root());
            Config resolved = given.withFallback(REFERENCE).resolve();
            checkKeys("", resolved.root(), REFERENCE.root());
            return checked(pathExpansion.apply(resolved), origin);
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
            return new SettingValues(config).settings(config.root().render(hocon));
        } catch (InvalidSettingException e) {
            throw new ConfigurationException(location(config.getValue(e.key()).origin(), origin) + e.getMessage(), e);
        }
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
        return "invalid HOCON: " + StringUtils.removeEnd(StringUtils.abbreviate(unlocated, MAX_SHOWN), ".") + ".";
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
            if (!KEY.matcher(key).matches()) {
                throw unknownKey(key, value);
            }
            config = config.withValue(key, value);
        }
        return config;
    }

    /** Removes quotation marks around a value, which are allowed as in a configuration file. */
    private static String unquoted(String key, String value) {
        for (String quote : List.of("\"", "'")) {
            boolean quoted = value.startsWith(quote);
            if (quoted != value.endsWith(quote) || value.equals(quote)) {
                throw new ConfigurationException(COMMAND_LINE + ": " + key + " is " + value + ", with a quotation mark"
                        + " at one end only: remove it, or add the other one.");
            }
            if (quoted && !value.isEmpty()) {
                return value.substring(1, value.length() - 1);
            }
        }
        return value;
    }

    private static Config expandPaths(Config config) {
        for (String key : PATH_KEYS) {
            ConfigValue value = config.getValue(key);
            try {
                Object path = UserPath.expanded(config.getString(key));
                config = config.withValue(
                        key, ConfigValueFactory.fromAnyRef(path).withOrigin(value.origin()));
            } catch (ConfigurationException e) {
                throw new ConfigurationException(location(value.origin(), "") + key + " is " + e.getMessage(), e);
            }
        }
        return config;
    }

    private static void checkKeys(String prefix, ConfigObject given, ConfigObject known) {
        for (Map.Entry<String, ConfigValue> entry : given.entrySet()) {
            String key = prefix + entry.getKey();
            ConfigValue knownValue = known.get(entry.getKey());
            if (knownValue == null) {
                throw unknownKey(key, entry.getValue());
            }
            if (!isResolved(entry.getValue())) {
                continue;
            }
            if (knownValue instanceof ConfigObject knownGroup && entry.getValue() instanceof ConfigObject group) {
                checkKeys(key + ".", group, knownGroup);
            } else {
                checkType(key, entry.getValue(), knownValue instanceof ConfigObject);
            }
        }
    }

    /** A value that contains {@code ${...}} has no type before it is resolved. */
    private static boolean isResolved(ConfigValue value) {
        try {
            return value.valueType() != null;
        } catch (ConfigException.NotResolved e) {
            return false;
        }
    }

    private static void checkType(String key, ConfigValue value, boolean isGroup) {
        String problem = isGroup
                ? " is a group of keys: write " + key + " { ... } in the file, or " + key + ".KEY=VALUE."
                : switch (value.valueType()) {
                    case OBJECT -> " takes one value, not a group of keys.";
                    case LIST -> " takes one value, not a list.";
                    case NULL -> " must not be null: remove the line to use the default.";
                    default -> null;
                };
        if (problem != null) {
            throw new ConfigurationException(location(value.origin(), "") + key + problem);
        }
    }

    /** For an unknown group, the message names the first key in it. */
    private static ConfigurationException unknownKey(String key, ConfigValue value) {
        if (value instanceof ConfigObject group && !group.isEmpty()) {
            Map.Entry<String, ConfigValue> first = Collections.min(group.entrySet(), Map.Entry.comparingByKey());
            return unknownKey(key + "." + first.getKey(), first.getValue());
        }
        return new ConfigurationException(location(value.origin(), "") + "unknown key "
                + StringUtils.abbreviate(key, MAX_SHOWN) + "; "
                + SettingNames.nearest(key, keys("", REFERENCE.root()))
                        .map(nearest -> "did you mean " + nearest + "?")
                        .orElse("conf/reference.conf has every key."));
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
        Config current = ConfigFactory.parseString(settings.text());
        Config earlier = ConfigFactory.parseString(parse(stored, origin).text()).withFallback(REFERENCE);
        return keys("", REFERENCE.root()).stream()
                .filter(compared)
                .filter(key -> !current.getString(key).equals(earlier.getString(key)))
                .sorted()
                .map(key -> key + " is " + current.getString(key) + ", and was " + earlier.getString(key))
                .toList();
    }

    /** @return the path, with {@code ./} before a relative path that looks like a URI, such as {@code 12:00.log} */
    public static String plainPath(String path) {
        return path.matches("[^/]*:(?!/).*") ? "./" + path : path;
    }

    /** @param source where the settings come from, for values that are defaults */
    private static String location(ConfigOrigin origin, String source) {
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
