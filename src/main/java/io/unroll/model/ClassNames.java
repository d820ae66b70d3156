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

/** Checks the class names in a network's configuration, because parsers load every class that it names. */
final class ClassNames {
    private static final ObjectMapper STRICT = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /** Paths of lists of strings in Deeplearning4j's configurations; elsewhere the first string may name a class. */
    private static final Pattern STRING_LISTS =
            Pattern.compile("/network(In|Out)puts|/topologicalOrderStr|/vertexInputs/[^/]+"
                    + "|(/confs/\\d+|/defaultConfiguration|/vertices/[^/]+(/underlying)*/layerConf)"
                    + "(/variables|(/(layer|underlying|fwd|bwd))+/constraints/\\d+/params)");

    /** Keys in Keras' configurations whose values contain layers. */
    private static final Set<String> LAYER_KEYS =
            Set.of("config", "layers", "layer", "forward_layer", "backward_layer", "cell", "cells");

    private static final Set<String> DEEPLEARNING4J_CLASSES = lines("deeplearning4j-classes.txt");
    private static final Set<String> KERAS_LAYERS = lines("keras-layers.txt");

    private ClassNames() {}

    /**
     * @return the parsed configuration
     * @throws IOException if it names a class that is not among Deeplearning4j's layers and their parts
     */
    static JsonNode checkDeeplearning4j(String json) throws IOException {
        JsonNode configuration = STRICT.readTree(json);
        checkDeeplearning4j(configuration, "");
        return configuration;
    }

    private static void checkDeeplearning4j(JsonNode node, String path) throws IOException {
        if (node.isArray()) {
            if (node.path(0).isTextual() && !STRING_LISTS.matcher(path).matches()) {
                check(node.path(0), DEEPLEARNING4J_CLASSES);
            }
            for (int i = 0; i < node.size(); i++) {
                checkDeeplearning4j(node.get(i), path + "/" + i);
            }
        }
        for (Map.Entry<String, JsonNode> property : node.properties()) {
            if (property.getKey().equals("@class") || property.getKey().equals("type")) {
                check(property.getValue(), DEEPLEARNING4J_CLASSES);
            }
            checkDeeplearning4j(
                    property.getValue(), path + "/" + property.getKey().replace('/', '|'));
        }
    }

    /** @throws IOException if it has a layer that Deeplearning4j cannot import, or one that contains code */
    static void checkKeras(String json) throws IOException {
        checkKeras(STRICT.readTree(json));
    }

    private static void checkKeras(JsonNode node) throws IOException {
        if (node.has("class_name")) {
            check(node.get("class_name"), KERAS_LAYERS);
        }
        if (node.isArray()) {
            for (JsonNode element : node) {
                checkKeras(element);
            }
        }
        for (String name : LAYER_KEYS) {
            if (node.has(name)) {
                checkKeras(node.get(name));
            }
        }
    }

    private static void check(JsonNode name, Set<String> known) throws IOException {
        if (!name.isTextual() || !known.contains(name.asText())) {
            throw new IOException("its configuration names " + name.toString().replaceAll("\\p{Cntrl}", "?")
                    + ", which is not a known class of a layer or its parts");
        }
    }

    private static Set<String> lines(String resource) {
        try (InputStream in = ClassNames.class.getResourceAsStream(resource)) {
            return Set.copyOf(IOUtils.readLines(in, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IllegalStateException(resource + " cannot be read from the jar", e);
        }
    }
}
