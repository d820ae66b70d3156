package io.unroll.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A user's configuration file. It may include other files, but neither URLs nor class path resources. */
final class ConfigurationFile implements FileIncluder {
    private static final long MAX_BYTES = 1 << 20;

    private static final int MAX_DEPTH = 20;

    private final int depth;
    private final Path file;
    private final String text;

    /** @throws ConfigurationException if the file does not exist, is too large, or is not UTF-8 text */
    ConfigurationFile(Path file) {
        this(file, 0);
    }

    private ConfigurationFile(Path file, int depth) {
        if (!Files.isRegularFile(file)) {
            String problem =
                    Files.isDirectory(file) ? " is a folder" : Files.exists(file) ? " is not a regular file" : "";
            throw new ConfigurationException(file + (problem.isEmpty() ? ": no such configuration file" : problem)
                    + ". Start from conf/quickstart.conf; conf/reference.conf has every key.");
        }
        this.file = file;
        this.depth = depth;
        this.text = text(file);
    }

    private static String text(Path file) {
        try {
            long bytes = Files.size(file);
            if (bytes > MAX_BYTES) {
                throw new ConfigurationException(file + " has " + bytes + " bytes; the maximum for a configuration is "
                        + MAX_BYTES + ": is it another file, such as the corpus?");
            }
            return text(file, Files.readAllBytes(file));
        } catch (AccessDeniedException e) {
            throw new ConfigurationException(file + " cannot be read: permission denied.", e);
        } catch (IOException e) {
            throw new ConfigurationException(file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static String text(Path file, byte[] content) {
        try {
            String decoded = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(content))
                    .toString();
            if (decoded.indexOf('\0') < 0) {
                return decoded;
            }
        } catch (CharacterCodingException e) {
            // reported below
        }
        int start = content.length < 2 ? 0 : ByteBuffer.wrap(content).getShort() & 0xFFFF;
        boolean utf16 = start == 0xFEFF || start == 0xFFFE || start < 0x100 || start % 0x100 == 0;
        throw new ConfigurationException(file + " is " + (utf16 ? "UTF-16, or binary" : "not UTF-8")
                + "; a configuration must be UTF-8 text: save it as UTF-8.");
    }

    Config parse() {
        return ConfigFactory.parseFile(
                file.toFile(), ConfigParseOptions.defaults().setIncluder(this));
    }

    /** @return the file and line of the include, for messages */
    private String location(String included) {
        List<String> lines = text.lines().toList();
        for (String name : List.of(included, "")) {
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).contains("include") && lines.get(i).contains(name)) {
                    return file + ":" + (i + 1) + ": ";
                }
            }
        }
        return file + ": ";
    }

    @Override
    public ConfigObject include(String name, boolean isFile) {
        if (!isFile) {
            throw new ConfigurationException(
                    location(name) + "a configuration includes files only, as in include \"other.conf\".");
        }
        Path included;
        try {
            Path path = file.resolveSibling(UserPath.expanded(name));
            included = Stream.of("", ".conf", ".json")
                    .map(ending -> path.resolveSibling(path.getFileName() + ending))
                    .filter(Files::isRegularFile)
                    .findFirst()
                    .orElseThrow(() -> new ConfigurationException("there is no file " + path + "."));
        } catch (InvalidPathException e) {
            throw new ConfigurationException(
                    location("include") + "this include is not a valid path: " + e.getReason() + ".", e);
        } catch (ConfigurationException e) {
            throw new ConfigurationException(location(name) + "include \"" + name + "\": " + e.getMessage(), e);
        }
        if (depth == MAX_DEPTH) {
            throw new ConfigurationException(location(name) + "includes are nested more than " + MAX_DEPTH + " deep: "
                    + "does " + file + " include itself?");
        }
        return new ConfigurationFile(included, depth + 1).parse().root();
    }
}
