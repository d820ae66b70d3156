import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;

/** Writes the names in Datafaker's jar to text files: one file per language, one name per line. */
public final class ExtractNames {
    /** One locale for each language that has at least 100 names. */
    private static final List<String> LOCALES = List.of(
            "ar", "bg", "ca", "cs-CZ", "da-DK", "de", "en/name", "es", "fa", "fi-FI", "fr", "he", "hr", "hu", "hy",
            "it", "ja", "lv", "nl", "no-NO", "pl", "pt-BR", "ru", "sk", "sv", "th", "uk", "zh-CN");

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        for (String locale : LOCALES) {
            TreeSet<String> names = new TreeSet<>();
            try (InputStream in = ExtractNames.class.getResourceAsStream("/" + locale + ".yml")) {
                collect("", new Yaml(new LoaderOptions()).load(in), names);
            }
            Files.write(folder.resolve(locale.replaceAll("[-/].*", "") + ".txt"), names);
        }
    }

    /** Collects lists under keys such as {@code faker.name.female_first_name}. Skips patterns, which contain a #. */
    private static void collect(String key, Object value, Collection<String> names) {
        if (value instanceof Map<?, ?> group) {
            group.forEach((name, child) -> collect(key + "." + name, child, names));
        } else if (value instanceof List<?> list && key.matches(".*\\.faker\\.name\\.([a-z]+_)?(first|last)_name")) {
            list.stream().map(String::valueOf).filter(name -> !name.contains("#")).forEach(names::add);
        }
    }

    private ExtractNames() {}
}
