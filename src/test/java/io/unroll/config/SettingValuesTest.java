package io.unroll.config;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a new key is added: a component of a record, and a line in the reference. */
class SettingValuesTest {
    private static final Config REFERENCE =
            ConfigFactory.parseString("first = 1\nsecond-number = 2\nchoice = mean\noptions {}\ngroup { on = false }");

    private record Group(boolean on) {}

    private record Example(
            int first,
            double secondNumber,
            Settings.AveragingMethod choice,
            Map<String, String> options,
            Group group) {}

    private record ExtraComponent(int first, int third) {}

    private record MissingComponent(int first) {}

    private static <T> T read(String text, Config reference, Class<T> type) {
        Config given = ConfigFactory.parseString(text);
        new KnownKeys(reference).check(given.root());
        Config complete = given.withFallback(reference).resolve();
        return SettingValues.read(SettingValues.tree(complete.root(), reference.root()), type);
    }

    @Test
    void componentsAreReadByName() {
        assertEquals(
                new Example(3, 0.5, Settings.AveragingMethod.BMUF, Map.of(), new Group(true)),
                read("group.on = yes, choice = BMUF, second-number = 5e-1, first = \"3\"", REFERENCE, Example.class));
    }

    @Test
    void anEmptyGroupInTheReferenceHasFreeKeys() {
        String options = "options { sep = \"\\t\", a { b = 007, c.d = true }, \"e.f\" = \"x y\", header = ${first} }";

        assertEquals(
                Map.of("sep", "\t", "a.b", "007", "a.c.d", "true", "e.f", "x y", "header", "1"),
                read(options, REFERENCE, Example.class).options());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "options { a = [1] }      | options.a takes one value, not a list.",
                "options { a { b = [] } } | options.a.b takes one value, not a list.",
                "options { a = null }     | options.a must not be null",
                "options = x              | options is a group of keys",
                "group { of = true }      | unknown key group.of; did you mean group.on?",
                "option.sep = x           | unknown key option.sep; conf/reference.conf has every key.",
            })
    void onlyItsKeysAreFree(String text, String expected) {
        String message = assertThrows(ConfigurationException.class, () -> read(text, REFERENCE, Example.class))
                .getMessage();

        assertTrue(message.contains(expected), message);
    }

    @ParameterizedTest
    @ValueSource(classes = {ExtraComponent.class, MissingComponent.class})
    void eachComponentNeedsAKeyAndEachKeyAComponent(Class<?> type) {
        Config twoKeys = ConfigFactory.parseString("first = 1, second = 2");

        assertThrows(IllegalStateException.class, () -> read("", twoKeys, type));
        assertDoesNotThrow(() -> read("", twoKeys.withoutPath("second"), MissingComponent.class));
    }

    @Test
    void theFirstErrorIsTheFirstInTheReference() {
        InvalidSettingException e = assertThrows(
                InvalidSettingException.class,
                () -> read("group.on = 2, first = one, second-number = two", REFERENCE, Example.class));

        assertEquals("first is one; it must be a number.", e.getMessage());
    }
}
