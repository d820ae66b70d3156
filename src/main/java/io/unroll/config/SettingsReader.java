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

/** Reads {@link Settings}: reference.conf, under the run's file, under {@code key=value} overrides. */
public final class SettingsReader {
    private static final String COMMAND_LINE = "the command line";

    private static final String REFERENCE_NAME = "io/unroll/config/reference.conf";

    private static final Config REFERENCE = ConfigFactory.parseResources(SettingsReader.class, "reference.conf");

    private static final Pattern KEY = Pattern.compile("[\\w-]+(\\.[\\w-]+)*");

    private static final int MAX_SHOWN = 200;

    /** What the parser's messages hold, in a user's words. */
    private static final List<Map.Entry<String, String>> SYNTAX = List.of(
            Map.entry("unescaped newline", "a quotation mark is opened and not closed on its line"),
            Map.entry("was not closed with a }", "${ is not closed by }"),
            Map.entry("followed by token", "a key must be followed by = and a value"),
            Map.entry("end of file", "a value or a closing brace is missing at the end of the file"),
            Map.entry("unbalanced close brace", "a brace is closed that was not opened"),
            Map.entry("Reserved character", "such a value needs quotation marks around it"),
            Map.entry("end of input or a comma", "such a value needs quotation marks around it, or a line of its own"),
            Map.entry("LIST rather than object", "it is a list, and a configuration is lines of key = value"),
            Map.entry("Cannot concatenate", "a list or a group is joined to a value that is neither"));

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

    private static final String EPOCHS = "training.epochs";

    private static final Pattern NETWORK = Pattern.compile("task|corpus\\.(target-)?tokenizer"
            + "|model\\.(?!dropout|.*-dropout|label-smoothing|precision|emulate-bfloat16|image\\.network).*");

    /** Those that name files, on this machine or elsewhere. */
    private static final List<String> PATHS = List.of(
            "run.directory",
            "corpus.path",
            "corpus.prepared",
            "corpus.images",
            "model.image.network",
            "training.start-from");

    private SettingsReader() {}

    /** @throws ConfigurationException naming file, line and key of the first thing that is wrong */
    public static Settings read(Path file, List<String> overrides) {
        return settings(() -> new ConfigurationFile(file).parse(), overrides, shown(file), SettingsReader::expanded);
    }

    /**
     * Reads settings that are stored with a model or a checkpoint. They may be of others, so nothing in them is looked
     * up: no other file, no address, no variable of the environment.
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
                whole -> whole);
    }

    /** @param overrides {@code key=value}, which stand above what the settings have been given */
    public static Settings with(Settings settings, List<String> overrides) {
        return settings(
                () -> ConfigFactory.parseString(settings.text()), overrides, "the settings", SettingsReader::expanded);
    }

    private interface Source {
        Config parse();
    }

    /**
     * @param origin where the settings come from, for messages
     * @param last what becomes of the whole configuration
     */
    private static Settings settings(Source source, List<String> overrides, String origin, UnaryOperator<Config> last) {
        try {
            Config given = overridden(source.parse(), overrides);
            checkKeys("", given.root(), REFERENCE.root());
            Config resolved = given.withFallback(REFERENCE).resolve();
            checkKeys("", resolved.root(), REFERENCE.root());
            return settings(last.apply(resolved), origin);
        } catch (ConfigException e) {
            throw new ConfigurationException(where(e.origin(), origin) + sentence(e), e);
        } catch (StackOverflowError e) {
            throw new ConfigurationException(origin + ": its groups or lists are nested too deeply.", e);
        }
    }

    private static Settings settings(Config whole, String source) {
        ConfigRenderOptions plain =
                ConfigRenderOptions.defaults().setOriginComments(false).setJson(false);
        try {
            return new SettingValues(whole).settings(whole.root().render(plain));
        } catch (InvalidSettingException e) {
            throw new ConfigurationException(where(whole.getValue(e.key()).origin(), source) + e.getMessage(), e);
        }
    }

    private static String sentence(ConfigException e) {
        String message = e.getMessage();
        if (e instanceof ConfigException.UnresolvedSubstitution) {
            String name = message.replaceFirst("(?s).*?(\\$\\{[^}]*}).*", "$1");
            return name
                    + (message.contains("cycle")
                            ? " refers to itself."
                            : " is neither a key of the configuration nor an environment variable.");
        }
        for (Map.Entry<String, String> known : SYNTAX) {
            if (message.contains(known.getKey())) {
                return known.getValue() + ".";
            }
        }
        String unlocated = message.replaceFirst("^(?:.*?: )??\\d+: ", "")
                .replaceFirst(" \\((?:if you intended|Reserved).*", "")
                .replaceAll("\\p{Cntrl}+", " ");
        return "invalid HOCON: " + StringUtils.removeEnd(StringUtils.abbreviate(unlocated, MAX_SHOWN), ".") + ".";
    }

    private static Config overridden(Config config, List<String> overrides) {
        for (String override : overrides) {
            int equals = override.indexOf('=');
            if (equals < 1) {
                throw new ConfigurationException("\"" + override + "\" is not of the form key=value.");
            }
            String key = override.substring(0, equals).strip();
            ConfigValue value =
                    ConfigValueFactory.fromAnyRef(unquoted(key, override.substring(equals + 1)), COMMAND_LINE);
            if (!KEY.matcher(key).matches()) {
                throw unknown(key, value);
            }
            config = config.withValue(key, value);
        }
        return config;
    }

    /** In a file a value may stand in quotation marks, and so it may here. */
    private static String unquoted(String key, String value) {
        for (String mark : List.of("\"", "'")) {
            boolean opened = value.startsWith(mark);
            if (opened != value.endsWith(mark) || value.equals(mark)) {
                throw new ConfigurationException(COMMAND_LINE + ": " + key + " is " + value + ", with a quotation mark"
                        + " at one end: leave it out, or close it.");
            }
            if (opened && !value.isEmpty()) {
                return value.substring(1, value.length() - 1);
            }
        }
        return value;
    }

    private static Config expanded(Config config) {
        for (String key : PATHS) {
            ConfigValue value = config.getValue(key);
            try {
                Object path = UserPath.expanded(config.getString(key));
                config = config.withValue(
                        key, ConfigValueFactory.fromAnyRef(path).withOrigin(value.origin()));
            } catch (ConfigurationException e) {
                throw new ConfigurationException(where(value.origin(), "") + key + " is " + e.getMessage(), e);
            }
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
            if (!isResolved(entry.getValue())) {
                continue;
            }
            if (twin instanceof ConfigObject group && entry.getValue() instanceof ConfigObject own) {
                checkKeys(key + ".", own, group);
            } else {
                checkType(key, entry.getValue(), twin instanceof ConfigObject);
            }
        }
    }

    /** What refers to other values has a type only when these are known. */
    private static boolean isResolved(ConfigValue value) {
        try {
            return value.valueType() != null;
        } catch (ConfigException.NotResolved e) {
            return false;
        }
    }

    private static void checkType(String key, ConfigValue value, boolean isGroup) {
        String must = isGroup
                ? " is a group of keys: write " + key + " { ... } in the file, or " + key + ".KEY=VALUE."
                : switch (value.valueType()) {
                    case OBJECT -> " takes one value, not a group of keys.";
                    case LIST -> " takes one value, not a list.";
                    case NULL -> " must not be null: remove the line to use the default.";
                    default -> null;
                };
        if (must != null) {
            throw new ConfigurationException(where(value.origin(), "") + key + must);
        }
    }

    /** A group is known by its first key. */
    private static ConfigurationException unknown(String key, ConfigValue value) {
        if (value instanceof ConfigObject group && !group.isEmpty()) {
            Map.Entry<String, ConfigValue> first = Collections.min(group.entrySet(), Map.Entry.comparingByKey());
            return unknown(key + "." + first.getKey(), first.getValue());
        }
        return new ConfigurationException(where(value.origin(), "") + "unknown key "
                + StringUtils.abbreviate(key, MAX_SHOWN) + "; "
                + Words.nearest(key, keys("", REFERENCE.root()))
                        .map(near -> "did you mean " + near + "?")
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
     * Compares the settings that determine a run's result, so neither paths nor checkpoint intervals. More epochs are
     * no difference if the schedule does not depend on their number.
     *
     * @param origin where the other settings come from, for messages
     * @return for each key that differs, its two values
     */
    public static List<String> differences(Settings settings, String other, String origin) {
        int epochs = settings.training().epochs();
        int before = parse(other, origin).training().epochs();
        Settings.Schedule schedule = settings.training().schedule();
        List<String> differences = new ArrayList<>(
                differences(settings, other, origin, key -> !INDIFFERENT.contains(key) && !key.equals(EPOCHS)));
        if (epochs < before || (epochs > before && schedule.dependsOnEpochs())) {
            differences.add(EPOCHS + " is " + epochs + ", and was " + before
                    + (schedule.dependsOnEpochs()
                            ? "; training.schedule = " + Words.kebab(schedule) + " depends on it"
                            : ""));
        }
        return differences;
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

    /** @return the same path; a relative one that begins like a URI, as {@code 12:00.log} does, as no URI */
    public static String plainPath(String path) {
        return path.matches("[^/]*:(?!/).*") ? "./" + path : path;
    }

    /** @param source of the settings, which is named where the value is a default */
    private static String where(ConfigOrigin origin, String source) {
        if (origin != null && origin.description().equals(COMMAND_LINE)) {
            return COMMAND_LINE + ": ";
        }
        boolean isDefault = origin == null || origin.description().contains(REFERENCE_NAME);
        String file = isDefault || origin.filename() == null ? source : shown(Path.of(origin.filename()));
        String line = isDefault || origin.lineNumber() < 1 ? "" : ":" + origin.lineNumber();
        return file.isEmpty() ? "" : file + line + ": ";
    }

    private static String shown(Path file) {
        Path here = Path.of("").toAbsolutePath();
        return (file.startsWith(here) ? here.relativize(file) : file).toString();
    }
}
