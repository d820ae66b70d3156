package io.unroll.inference;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import io.unroll.model.GateTrace;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Renders an {@link Inspection} as one self-contained HTML file. */
public final class ReportPage {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    /** Maximum number of activations in a page, a byte each, so that a phone can open it. */
    private static final long MAX_ACTIVATIONS = 6_000_000;

    /** Maximum number of rounds of the loss curve, in addition to the rounds with a validation loss. */
    private static final int MAX_ROUNDS = 1000;

    private static final int MAX_PACKED = 127;
    private static final int HEADER_BYTES = 512;

    private ReportPage() {}

    /** @return whether the file is empty or was written by this class */
    public static boolean isReport(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            String header = new String(in.readNBytes(HEADER_BYTES), StandardCharsets.UTF_8);
            return header.isEmpty() || header.contains("<title>Inside the model</title>");
        }
    }

    public static String of(Inspection inspection) throws IOException {
        return of(inspection, MAX_ACTIVATIONS);
    }

    static String of(Inspection inspection, long maxActivations) throws IOException {
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("model", inspection.model());
        page.put("rounds", rounds(inspection.metrics()));
        page.put("clipped_share", inspection.clippedShare());
        page.put("samples", inspection.samples());
        page.put("untrained", inspection.untrained());
        page.put("trained", inspection.trained());
        int shown = shownTokens(inspection, maxActivations);
        page.put("text", inspection.text().subList(0, shown));
        page.put("surprisal", Arrays.copyOf(inspection.surprisal(), shown));
        page.put("read", inspection.text().size());
        page.put("bits_per_token", inspection.bitsPerToken());
        List<Object> layers = new ArrayList<>();
        for (Inspection.LayerView layer : inspection.layers()) {
            Map<String, Object> view = new LinkedHashMap<>();
            view.put("saturation", layer.saturation());
            view.put("feature_cells", layer.featureCells());
            view.put("activations", packed(layer.activations(), shown));
            layers.add(view);
        }
        page.put("layers", layers);
        try (InputStream in = ReportPage.class.getResourceAsStream("report.html")) {
            String template = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            // Escaped, because a text may contain "</script>".
            return template.replace("{{data}}", MAPPER.writeValueAsString(page).replace("<", "\\u003c"));
        }
    }

    /** @return the data of the loss curves: every n-th round, the last one and those with a validation loss */
    static List<Map<String, Object>> rounds(List<Map<String, Object>> metrics) {
        int last = metrics.size() - 1;
        int step = 1 + last / MAX_ROUNDS;
        return IntStream.rangeClosed(0, last)
                .filter(i -> i % step == 0 || i == last || metrics.get(i).get("validation_loss") != null)
                .mapToObj(metrics::get)
                .map(round -> {
                    Map<String, Object> point = new LinkedHashMap<>(round);
                    point.keySet().retainAll(Set.of("tokens", "training_loss", "validation_loss"));
                    return point;
                })
                .toList();
    }

    private static int shownTokens(Inspection inspection, long maxActivations) {
        GateTrace.Layer layer = inspection.layers().get(0).activations();
        long perToken = (long) inspection.layers().size()
                * inspection.model().hidden()
                * (layer.gates().size() + layer.values().size());
        return (int) Math.min(inspection.text().size(), Math.max(1, maxActivations / perToken));
    }

    /**
     * Activations quantized to signed bytes, from -127 to 127.
     *
     * @param values {@code [steps][hidden]} bytes, in base 64
     * @param largest for each cell the activation that 127 stands for; 1 if no activation exceeds 1
     */
    private record Packed(String values, float[] largest) {}

    private static Map<String, Packed> packed(GateTrace.Layer layer, int steps) {
        Map<String, Packed> packed = new LinkedHashMap<>();
        layer.values().forEach((name, values) -> packed.put(name, packed(values, steps)));
        layer.gates().forEach((name, values) -> packed.put(name + " gate", packed(values, steps)));
        return packed;
    }

    private static Packed packed(float[][] values, int steps) {
        int size = values[0].length;
        float[] largest = new float[size];
        for (int i = 0; i < size; i++) {
            int cell = i;
            largest[i] = (float) Arrays.stream(values, 0, steps)
                    .mapToDouble(step -> Math.abs(step[cell]))
                    .max()
                    .orElse(0);
        }
        boolean bounded = IntStream.range(0, size).allMatch(i -> largest[i] <= 1);
        if (bounded) {
            Arrays.fill(largest, 1);
        }
        byte[] bytes = new byte[steps * size];
        for (int step = 0; step < steps; step++) {
            for (int i = 0; i < size; i++) {
                bytes[step * size + i] =
                        (byte) Math.round(MAX_PACKED * values[step][i] / Math.max(largest[i], Float.MIN_NORMAL));
            }
        }
        return new Packed(Base64.getEncoder().encodeToString(bytes), largest);
    }
}
