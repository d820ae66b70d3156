package io.unroll.ml;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.unroll.config.DamagedFileException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import scala.Option;

/**
 * The folder {@code metadata} of a saved stage, in the format of Spark's DefaultParamsWriter: a line of JSON in a text
 * file. Spark's own class is not public.
 */
record StageMetadata(JsonNode json, String path) {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String FOLDER = "metadata";
    private static final String CLASS = "class";
    private static final String UID = "uid";
    private static final String PARAMS = "paramMap";
    private static final String DEFAULTS = "defaultParamMap";

    static void write(Params stage, String sparkVersion, String path, Configuration hadoop) {
        ObjectNode json = MAPPER.createObjectNode()
                .put(CLASS, stage.getClass().getName())
                .put("timestamp", System.currentTimeMillis())
                .put("sparkVersion", sparkVersion)
                .put(UID, stage.uid());
        try {
            json.set(PARAMS, values(stage, stage::get));
            json.set(DEFAULTS, values(stage, stage::getDefault));
            Path folder = new Path(path, FOLDER);
            FileSystem fs = folder.getFileSystem(hadoop);
            try (OutputStream out = fs.create(new Path(folder, "part-00000"))) {
                out.write((MAPPER.writeValueAsString(json) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            fs.create(new Path(folder, "_SUCCESS")).close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param value of a Param of the stage, if it has one */
    private static ObjectNode values(Params stage, Function<Param<?>, Option<?>> value) throws JsonProcessingException {
        ObjectNode values = MAPPER.createObjectNode();
        for (Param<?> param : stage.params()) {
            Option<?> found = value.apply(param);
            if (found.isDefined()) {
                values.set(param.name(), json(param, found.get()));
            }
        }
        return values;
    }

    @SuppressWarnings("unchecked")
    private static <T> JsonNode json(Param<T> param, Object value) throws JsonProcessingException {
        return MAPPER.readTree(param.jsonEncode((T) value));
    }

    /** @throws IllegalArgumentException if the folder contains a stage of another class */
    static StageMetadata read(Class<?> type, String path, Configuration hadoop) {
        Path folder = new Path(path, FOLDER);
        try {
            FileSystem fs = folder.getFileSystem(hadoop);
            for (FileStatus file : fs.listStatus(folder, name -> name.getName().startsWith("part-"))) {
                try (BufferedReader in =
                        new BufferedReader(new InputStreamReader(fs.open(file.getPath()), StandardCharsets.UTF_8))) {
                    String line = in.readLine();
                    if (line != null) {
                        return new StageMetadata(MAPPER.readTree(line), path).checked(type);
                    }
                }
            }
            throw new DamagedFileException(folder + " is damaged: it has no line of JSON.", null);
        } catch (JsonProcessingException e) {
            throw new DamagedFileException(folder + " is damaged: it is not valid JSON.", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private StageMetadata checked(Class<?> type) {
        String stored = json.path(CLASS).asText();
        if (!stored.equals(type.getName())) {
            throw new IllegalArgumentException(
                    path + " contains a " + stored + "; it must contain a " + type.getName() + ".");
        }
        return this;
    }

    String uid() {
        return json.path(UID).asText();
    }

    void setParams(Params stage) {
        json.path(DEFAULTS).properties().forEach(entry -> {
            Param<Object> param = stage.getParam(entry.getKey());
            stage.setDefault(param, param.jsonDecode(entry.getValue().toString()));
        });
        json.path(PARAMS).properties().forEach(entry -> {
            Param<Object> param = stage.getParam(entry.getKey());
            stage.set(param, param.jsonDecode(entry.getValue().toString()));
        });
    }
}
