package io.unroll.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.unroll.config.DamagedFileException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * JSON files that say what they are: {@code {"format": …, "version": …, …}}.
 *
 * @param version the version written, and the newest that can be read
 * @param maxBytes of a file; a longer one is damaged
 */
public record JsonFile<T>(String format, int version, Class<T> type, int maxBytes) {
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    public void write(FileSystem fs, Path path, T content) throws IOException {
        try (OutputStream out = fs.create(path, true)) {
            out.write(bytes(content));
        }
    }

    public byte[] bytes(T content) throws IOException {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("format", format);
        json.put("version", version);
        json.setAll((ObjectNode) MAPPER.valueToTree(content));
        return MAPPER.writeValueAsBytes(json);
    }

    /** @throws UnrollException where the file is damaged, something else, or written by a newer Unroll */
    public T read(FileSystem fs, Path path) throws IOException {
        return parse(bytes(fs, path, maxBytes), path.toString());
    }

    /** @throws UnrollException where the file is longer */
    public static byte[] bytes(FileSystem fs, Path path, int maxBytes) throws IOException {
        try (InputStream in = fs.open(path)) {
            byte[] bytes = in.readNBytes(maxBytes);
            if (in.read() >= 0) {
                throw new DamagedFileException(
                        path + " is damaged: it has more than " + maxBytes + " bytes, which no such file has.", null);
            }
            return bytes;
        }
    }

    /** @param path where the bytes come from, for messages */
    public T parse(byte[] bytes, String path) throws IOException {
        try {
            // A string, or Jackson would guess the encoding.
            JsonNode json = MAPPER.readTree(new String(bytes, StandardCharsets.UTF_8));
            if (!format.equals(json.path("format").asText())) {
                throw new DamagedFileException(path + " is no " + format + " file.", null);
            }
            int found = json.path("version").asInt();
            if (found > version) {
                throw new UnrollException(path + " is of version " + found + " of the " + format
                        + " format, written by a newer Unroll; this one reads up to version " + version
                        + ": use the newer Unroll.");
            }
            if (found < 1) {
                throw new DamagedFileException(path + " is damaged: it has no valid version.", null);
            }
            return MAPPER.treeToValue(json, type);
        } catch (JsonProcessingException e) {
            boolean refused = e.getCause() instanceof IllegalArgumentException;
            // Where an object has not ended, Jackson repeats how it starts.
            String why = refused
                    ? e.getCause().getMessage()
                    : e.getOriginalMessage().replaceFirst("(?s)( \\(start marker|\n).*", "");
            throw new DamagedFileException(path + " is damaged: " + why + (why.endsWith(".") ? "" : "."), e);
        }
    }
}
