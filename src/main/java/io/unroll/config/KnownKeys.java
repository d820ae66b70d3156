package io.unroll.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import java.util.Collections;
import java.util.Map;
import org.apache.commons.lang3.StringUtils;

/**
 * The keys that a configuration may have.
 *
 * @param reference has each key; in an empty group, all keys are allowed
 */
record KnownKeys(Config reference) {
    private static final int MAX_SHOWN = 200;

    /** @throws ConfigurationException for a key that is unknown, or that has a list, null or a group as its value */
    void check(ConfigObject given) {
        check("", given, reference.root());
    }

    private void check(String prefix, ConfigObject given, ConfigObject known) {
        given.forEach((name, value) -> {
            String key = prefix + name;
            ConfigValue knownValue = known.isEmpty() ? value : known.get(name);
            if (knownValue == null) {
                throw unknown(key, value);
            }
            if (isResolved(value)) {
                if (knownValue instanceof ConfigObject knownGroup && value instanceof ConfigObject group) {
                    check(key + ".", group, knownGroup);
                } else {
                    checkType(key, value, knownValue instanceof ConfigObject);
                }
            }
        });
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
            throw new ConfigurationException(SettingsReader.location(value.origin(), "") + key + problem);
        }
    }

    /** For an unknown group, the message names the first key in it. */
    ConfigurationException unknown(String key, ConfigValue value) {
        if (value instanceof ConfigObject group && !group.isEmpty()) {
            Map.Entry<String, ConfigValue> first = Collections.min(group.entrySet(), Map.Entry.comparingByKey());
            return unknown(key + "." + first.getKey(), first.getValue());
        }
        return new ConfigurationException(SettingsReader.location(value.origin(), "") + "unknown key "
                + StringUtils.abbreviate(key, MAX_SHOWN) + "; "
                + SettingNames.nearest(
                                key,
                                reference.entrySet().stream()
                                        .map(Map.Entry::getKey)
                                        .toList())
                        .map(nearest -> "did you mean " + nearest + "?")
                        .orElse("conf/reference.conf has every key."));
    }
}
