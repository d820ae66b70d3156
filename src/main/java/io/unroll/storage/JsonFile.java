package io.unroll.storage;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.unroll.config.DamagedFileException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Reads and writes JSON files that state their format and version: {@code {"format": …, "version": …, …}}.
 *
 * @param version the version that is written, and the newest that can be read
 * @param maxBytes maximum size; a longer file is reported as damaged
 */
public record JsonFile<T>(String format, int version, Class<T> type, int maxBytes) {
    private static final int MAX_QUOTED = 200;

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

    /** @throws UnrollException if the file is damaged, has another format, or was written by a newer Unroll */
    public T read(FileSystem fs, Path path) throws IOException {
        return parse(bytes(fs, path, maxBytes), path.toString());
    }

    /** @throws UnrollException if the file has more than {@code maxBytes} bytes */
    public static byte[] bytes(FileSystem fs, Path path, int maxBytes) throws IOException {
        try (InputStream in = fs.open(path)) {
            byte[] bytes = in.readNBytes(maxBytes);
            if (in.read() >= 0) {
                throw new DamagedFileException(
                        path + " is damaged: it has more than " + maxBytes + " bytes, the maximum for this file.",
                        null);
            }
            return bytes;
        }
    }

    /** @param path origin of the bytes, for messages */
    public T parse(byte[] bytes, String path) throws IOException {
        try {
            // Decoded here, because Jackson would guess the encoding of bytes.
            JsonNode json = MAPPER.readTree(new String(bytes, StandardCharsets.UTF_8));
            if (!format.equals(json.path("format").asText())) {
                throw new DamagedFileException(path + " is not an " + format + " file.", null);
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
            throw new DamagedFileException(path + " is damaged: " + problem(e) + ".", e);
        }
    }

    /** @return what is wrong with JSON, without Jackson's message, which contains class names and the damaged bytes */
    public static String problem(JsonProcessingException e) {
        if (e instanceof ValueInstantiationException && e.getCause() instanceof IllegalArgumentException cause) {
            return StringUtils.abbreviate(cause.getMessage(), MAX_QUOTED);
        }
        if (e instanceof JsonMappingException mapping) {
            String key = StringUtils.abbreviate(key(mapping), MAX_QUOTED);
            return (key.isEmpty() ? "it" : "\"" + key + "\"") + " has an invalid value";
        }
        if (e instanceof JsonEOFException) {
            return "it ends too early";
        }
        JsonLocation end = e.getLocation();
        return end == null
                ? "it is not valid JSON"
                : "line " + end.getLineNr() + " is not valid JSON near column " + end.getColumnNr();
    }

    /** @return the path of the value, such as {@code parts[2].name} */
    private static String key(JsonMappingException e) {
        String key = e.getPath().stream()
                .map(step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName())
                .collect(Collectors.joining());
        return key.replaceFirst("^\\.", "");
    }
}
