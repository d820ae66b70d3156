package io.unroll.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keeps docs/guide/configuration.md equal to conf/reference.conf; {@code -Dupdate.docs=true} writes it. */
class ConfigurationReferenceTest {
    private static final Path PAGE = Path.of("docs/guide/configuration.md");
    private static final String HEAD =
            """
            # Configuration

            All keys with their defaults. This page is generated from [conf/reference.conf](../../conf/reference.conf); a test
            checks that both are equal. A configuration is a [HOCON](https://github.com/lightbend/config/blob/main/HOCON.md) file with the
            keys that differ from the defaults. `key=value` on the command line overrides the file:

                jobs/unroll train my.conf training.epochs=3 model.hidden=256

            Put quotes around globs and URIs. `include` takes files only, no URLs. An unknown key is an error.
            """;

    @Test
    void pageShowsTheReference() throws IOException {
        ConfigObject reference =
                ConfigFactory.parseFile(new File("conf/reference.conf")).root();
        String page = HEAD
                + sorted(reference).map(ConfigurationReferenceTest::section).collect(Collectors.joining());

        if (Boolean.getBoolean("update.docs")) {
            Files.writeString(PAGE, page);
        }

        assertEquals(
                page,
                Files.readString(PAGE),
                "run mvn test -Dtest=ConfigurationReferenceTest -Dupdate.docs=true, and commit " + PAGE);
    }

    private static String section(Map.Entry<String, ConfigValue> entry) {
        return "\n## " + entry.getKey() + "\n\n| key | default | meaning |\n|---|---|---|\n"
                + rows(entry.getKey(), entry.getValue()).collect(Collectors.joining());
    }

    private static Stream<String> rows(String key, ConfigValue value) {
        String meaning = String.join(" ", value.origin().comments()).strip();
        if (value instanceof ConfigObject object) {
            return Stream.concat(
                    meaning.isEmpty() ? Stream.empty() : Stream.of(row(key, "", meaning)),
                    sorted(object).flatMap(entry -> rows(key + "." + entry.getKey(), entry.getValue())));
        }
        return Stream.of(row(key, "`" + value.render() + "`", meaning));
    }

    private static String row(String key, String defaultValue, String meaning) {
        return "| `" + key + "` | " + defaultValue + " | "
                + meaning.replaceAll(" +", " ").replace("<", "\\<") + " |\n";
    }

    private static Stream<Map.Entry<String, ConfigValue>> sorted(ConfigObject object) {
        return object.entrySet().stream()
                .sorted(Comparator.comparing(entry -> entry.getValue().origin().lineNumber()));
    }
}
