package io.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Checks that all software in unroll.jar is listed with its licence: either in THIRD-PARTY.txt, which the build
 * generates from the dependencies, or in src/main/licenses/components.csv.
 */
class LicensesIT {
    private static final String LICENSES = "META-INF/licenses/";
    private static final Pattern NATIVE_LIBRARY = Pattern.compile(".*\\.(so|dll|dylib|jnilib|a)(\\.[0-9.]+)?");
    private static final Pattern POM_PROPERTIES = Pattern.compile("META-INF/maven/([^/]+)/([^/]+)/pom.properties");
    /** A line of THIRD-PARTY.txt: the licences and, behind the name, group, artifact and version. */
    private static final Pattern ARTIFACT =
            Pattern.compile(" +((?:\\([^()]+\\) )+).*\\(([^():]+):([^():]+):[^():]+ - .*\\)");

    private static ZipFile jar;
    private static List<String> entries;
    private static List<Artifact> artifacts;
    private static List<Component> components;

    private record Artifact(String group, String name, Set<String> licenses) {
        /** The file that Maven adds to the jars that it builds. */
        String pomProperties() {
            return "META-INF/maven/" + group + "/" + name + "/pom.properties";
        }
    }

    private record Component(List<PathMatcher> files, List<String> texts) {
        boolean contains(String entry) {
            return files.stream().anyMatch(glob -> glob.matches(Path.of(entry)));
        }
    }

    @BeforeAll
    static void readJar() throws IOException {
        jar = new ZipFile("target/unroll.jar");
        entries = jar.stream()
                .filter(entry -> !entry.isDirectory())
                .map(ZipEntry::getName)
                .toList();
        artifacts = read("META-INF/THIRD-PARTY.txt")
                .lines()
                .map(ARTIFACT::matcher)
                .filter(line -> line.matches())
                .map(line -> new Artifact(
                        line.group(2),
                        line.group(3),
                        Set.of(line.group(1)
                                .trim()
                                .substring(1)
                                .replaceAll("\\)$", "")
                                .split("\\) \\("))))
                .toList();
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setHeader()
                .setSkipHeaderRecord(true)
                .build();
        try (CSVParser parser = CSVParser.parse(read(LICENSES + "components.csv"), format)) {
            components = parser.stream().map(LicensesIT::component).toList();
        }
    }

    @AfterAll
    static void closeJar() throws IOException {
        jar.close();
    }

    @Test
    void eachArtifactOfTheListIsRead() throws IOException {
        assertTrue(
                read("META-INF/THIRD-PARTY.txt").contains("Lists of " + artifacts.size() + " third-party dependencies"),
                () -> artifacts.size() + " artifacts in META-INF/THIRD-PARTY.txt");
    }

    @Test
    void eachNativeLibraryIsAComponent() {
        Set<String> unlisted = select(entry -> NATIVE_LIBRARY.matcher(entry).matches() && !isInComponent(entry));
        assertEquals(Set.of(), unlisted, "native libraries that components.csv does not list");
    }

    @Test
    void eachArtifactIsListed() {
        Set<String> listed = artifacts.stream().map(Artifact::pomProperties).collect(Collectors.toSet());
        Set<String> unlisted = select(entry -> POM_PROPERTIES.matcher(entry).matches()
                && !entry.startsWith("META-INF/maven/io.unroll/")
                && !listed.contains(entry)
                && !isInComponent(entry));
        assertEquals(Set.of(), unlisted, "artifacts that neither THIRD-PARTY.txt nor components.csv lists");
    }

    @Test
    void eachArtifactUnderAnotherLicenseThanApacheIsAComponent() {
        Set<String> unlisted = artifacts.stream()
                .filter(artifact -> !artifact.licenses().contains("Apache-2.0"))
                .map(Artifact::pomProperties)
                .filter(entry -> !isInComponent(entry))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), unlisted, "artifacts whose licence has no text in components.csv");
    }

    /** Artifacts contain classes of others, which Maven does not know of. */
    @Test
    void classesThatAreNotInAPackageOfAnArtifactsGroupAreAComponent() {
        Set<String> groups = Stream.concat(
                        Stream.of("io.unroll"), artifacts.stream().map(Artifact::group))
                .map(group -> group.replace('.', '/') + "/")
                .collect(Collectors.toSet());
        Set<String> unlisted = select(entry ->
                entry.endsWith(".class") && groups.stream().noneMatch(entry::startsWith) && !isInComponent(entry));
        assertEquals(Set.of(), packages(unlisted), "packages that components.csv does not list");
    }

    /** ND4J renames the packages of the libraries that it contains. */
    @Test
    void classesThatNd4jContainsAreAComponent() {
        Set<String> unlisted = select(entry -> entry.startsWith("org/nd4j/shade/") && !isInComponent(entry));
        assertEquals(Set.of(), packages(unlisted), "packages that components.csv does not list");
    }

    @Test
    void componentsNameTheTextsThatAreInTheJar() {
        Set<String> texts = components.stream()
                .flatMap(component -> component.texts().stream())
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> inJar = select(entry -> entry.startsWith(LICENSES) && !entry.endsWith(".csv"));
        inJar.add("META-INF/LICENSE");
        assertEquals(inJar, texts);
    }

    @Test
    void theJarHasOurLicenseAndTheNoticesOfAll() throws IOException {
        assertEquals(Files.readString(Path.of("LICENSE")), read("META-INF/LICENSE"));
        String notice = read("META-INF/NOTICE");
        assertTrue(notice.startsWith(Files.readString(Path.of("NOTICE"))), notice);
        assertTrue(notice.contains("Jackson JSON processor"), notice);
        String notices = read("META-INF/NOTICE.txt");
        assertTrue(notices.contains("Apache Commons Net") && notices.contains("Apache Commons CSV"), notices);
    }

    private static Component component(CSVRecord row) {
        List<PathMatcher> files = words(row.get("files"))
                .map(glob -> FileSystems.getDefault().getPathMatcher("glob:" + glob))
                .toList();
        Path folder = Path.of(LICENSES);
        List<String> texts = words(row.get("texts"))
                .map(text -> folder.resolve(text).normalize().toString().replace('\\', '/'))
                .toList();
        assertTrue(!files.isEmpty() && !texts.isEmpty() && !row.get("license").isBlank(), row::toString);
        return new Component(files, texts);
    }

    private static Stream<String> words(String text) {
        return Arrays.stream(text.split(" ")).filter(word -> !word.isEmpty());
    }

    private static Set<String> select(Predicate<String> condition) {
        return entries.stream().filter(condition).collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> packages(Set<String> classes) {
        return classes.stream()
                .map(name -> name.substring(0, name.lastIndexOf('/') + 1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean isInComponent(String entry) {
        return components.stream().anyMatch(component -> component.contains(entry));
    }

    private static String read(String entry) throws IOException {
        return new String(jar.getInputStream(jar.getEntry(entry)).readAllBytes(), StandardCharsets.UTF_8);
    }
}
