package io.unroll.config;

import static io.unroll.config.InvalidSettingException.check;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.deser.BeanDeserializerModifier;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigUtil;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * Reads records from configuration values by name: the keys of a group are its record's components in kebab case. Each
 * component needs a key, and each key a component.
 */
final class SettingValues {
    private static final int MAX_DIGITS = 400;

    private static final ObjectMapper MAPPER = new ObjectMapper()
            .setPropertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .registerModule(new SimpleModule()
                    .addDeserializer(int.class, new Value<>((key, text) -> (int) integer(key, text, Integer.MAX_VALUE)))
                    .addDeserializer(long.class, new Value<>((key, text) -> integer(key, text, Long.MAX_VALUE)))
                    .addDeserializer(double.class, new Value<>(SettingValues::decimal))
                    .addDeserializer(Double.class, new Value<>(SettingValues::decimal))
                    .addDeserializer(boolean.class, new Value<>(SettingValues::flag))
                    .setDeserializerModifier(new Choices()));

    private SettingValues() {}

    /** @throws InvalidSettingException if a value has the wrong type or is out of range */
    static <T> T read(ObjectNode values, Class<T> type) {
        try {
            return MAPPER.treeToValue(values, type);
        } catch (JsonProcessingException e) {
            InvalidSettingException invalid = ExceptionUtils.throwableOfType(e, InvalidSettingException.class);
            throw invalid != null ? invalid : new IllegalStateException(e);
        }
    }

    /**
     * Returns the values as they are written, because 007 may be a number or a path. They are in the order of the
     * reference, and so are their errors: a key comes before those that refer to it.
     *
     * @param reference the known keys of the group; if there are none, {@code a.b} in the group is one key
     */
    static ObjectNode tree(ConfigObject group, ConfigObject reference) {
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        Config values = group.toConfig();
        if (reference.isEmpty()) {
            values.entrySet().stream()
                    .map(Map.Entry::getKey)
                    .sorted()
                    .forEach(path -> tree.put(String.join(".", ConfigUtil.splitPath(path)), values.getString(path)));
        }
        reference.entrySet().stream()
                .sorted(Comparator.comparing(known -> known.getValue().origin().lineNumber()))
                .forEach(known -> {
                    if (known.getValue() instanceof ConfigObject subgroup) {
                        tree.set(known.getKey(), tree(values.getObject(known.getKey()), subgroup));
                    } else {
                        tree.put(known.getKey(), values.getString(known.getKey()));
                    }
                });
        return tree;
    }

    private static class Value<T> extends JsonDeserializer<T> {
        private final BiFunction<String, String, T> conversion;

        /** @param conversion from the key, for messages, and the value as it is written */
        Value(BiFunction<String, String, T> conversion) {
            this.conversion = conversion;
        }

        @Override
        public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            String pointer = parser.getParsingContext().pathAsPointer().toString();
            return conversion.apply(pointer.substring(1).replace('/', '.'), parser.getText());
        }
    }

    /** NaN for {@code auto}. */
    static final class NumberOrAuto extends Value<Double> {
        NumberOrAuto() {
            super((key, text) -> text.equalsIgnoreCase("auto") ? Double.NaN : decimal(key, text));
        }
    }

    private static final class Choices extends BeanDeserializerModifier {
        @Override
        public JsonDeserializer<?> modifyEnumDeserializer(
                DeserializationConfig config, JavaType type, BeanDescription description, JsonDeserializer<?> given) {
            return new Value<>((key, text) -> choice(key, text, type.getRawClass()));
        }
    }

    private static boolean flag(String key, String text) {
        boolean isOn = text.matches("true|yes|on");
        check(isOn || text.matches("false|no|off"), key, text, "true or false");
        return isOn;
    }

    private static long integer(String key, String text, long max) {
        String expected = "a whole number of at most " + max;
        try {
            long value = bigDecimal(key, text).longValueExact();
            check(value >= -max && value <= max, key, text, expected);
            return value;
        } catch (ArithmeticException e) {
            throw InvalidSettingException.of(key, text, expected);
        }
    }

    private static double decimal(String key, String text) {
        double value = bigDecimal(key, text).doubleValue();
        check(Double.isFinite(value), key, text, "a number of at most " + Double.MAX_VALUE);
        return value;
    }

    private static BigDecimal bigDecimal(String key, String text) {
        String number = text.strip();
        try {
            check(number.length() <= MAX_DIGITS, key, number, "a number");
            return new BigDecimal(number);
        } catch (NumberFormatException e) {
            throw InvalidSettingException.of(key, number, "a number");
        }
    }

    private static Enum<?> choice(String key, String text, Class<?> type) {
        List<Enum<?>> choices = Stream.of(type.getEnumConstants())
                .<Enum<?>>map(Enum.class::cast)
                .toList();
        String names = choices.stream().map(SettingNames::kebab).collect(Collectors.joining(", "));
        return choices.stream()
                .filter(choice -> SettingNames.kebab(choice).equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> InvalidSettingException.of(key, text, "one of " + names));
    }
}
