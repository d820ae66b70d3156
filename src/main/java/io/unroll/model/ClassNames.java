package io.unroll.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.io.IOUtils;

/** Checks the names of classes in a network's configuration, before a parser sees it that loads what it names. */
final class ClassNames {
    private static final ObjectMapper STRICT = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /** Where Deeplearning4j's configurations have lists of strings; anywhere else, the first one may name a class. */
    private static final Pattern STRINGS =
            Pattern.compile("/network(In|Out)puts|/topologicalOrderStr|/vertexInputs/[^/]+"
                    + "|(/confs/\\d+|/defaultConfiguration|/vertices/[^/]+(/underlying)*/layerConf)"
                    + "(/variables|(/(layer|underlying|fwd|bwd))+/constraints/\\d+/params)");

    /** Where Keras' configurations have layers. */
    private static final Set<String> LAYERS =
            Set.of("config", "layers", "layer", "forward_layer", "backward_layer", "cell", "cells");

    private ClassNames() {}

    /**
     * @return what has been read
     * @throws IOException where Deeplearning4j would load a class that is not one of its layers and their like
     */
    static JsonNode checkDeeplearning4j(String json) throws IOException {
        JsonNode all = STRICT.readTree(json);
        checkDeeplearning4j(all, "");
        return all;
    }

    private static void checkDeeplearning4j(JsonNode node, String path) throws IOException {
        if (node.isArray()) {
            if (node.path(0).isTextual() && !STRINGS.matcher(path).matches()) {
                check(node.path(0), Known.DEEPLEARNING4J);
            }
            for (int i = 0; i < node.size(); i++) {
                checkDeeplearning4j(node.get(i), path + "/" + i);
            }
        }
        for (Map.Entry<String, JsonNode> each : node.properties()) {
            if (each.getKey().equals("@class") || each.getKey().equals("type")) {
                check(each.getValue(), Known.DEEPLEARNING4J);
            }
            checkDeeplearning4j(each.getValue(), path + "/" + each.getKey().replace('/', '|'));
        }
    }

    /** @throws IOException where there is a layer that Deeplearning4j's import does not know, or that holds code */
    static void checkKeras(String json) throws IOException {
        checkKeras(STRICT.readTree(json));
    }

    private static void checkKeras(JsonNode node) throws IOException {
        if (node.has("class_name")) {
            check(node.get("class_name"), Known.KERAS);
        }
        if (node.isArray()) {
            for (JsonNode each : node) {
                checkKeras(each);
            }
        }
        for (String name : LAYERS) {
            if (node.has(name)) {
                checkKeras(node.get(name));
            }
        }
    }

    private static void check(JsonNode name, Set<String> known) throws IOException {
        if (!name.isTextual() || !known.contains(name.asText())) {
            throw new IOException("its configuration names " + name.toString().replaceAll("\\p{Cntrl}", "?")
                    + ", which is no known class of a layer or its parts");
        }
    }

    private static Set<String> lines(String resource) {
        try (InputStream in = ClassNames.class.getResourceAsStream(resource)) {
            return Set.copyOf(IOUtils.readLines(in, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IllegalStateException(resource + " cannot be read from the jar", e);
        }
    }

    private static final class Known {
        static final Set<String> DEEPLEARNING4J = lines("deeplearning4j-classes.txt");
        static final Set<String> KERAS = lines("keras-layers.txt");
    }
}
