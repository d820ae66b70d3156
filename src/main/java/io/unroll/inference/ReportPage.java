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

/** An {@link Inspection} as one HTML file that needs nothing else. */
public final class ReportPage {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    /** Activations that a page holds, a byte each: a phone still opens it. */
    private static final long MOST_ACTIVATIONS = 6_000_000;

    /** Points of a curve, beside those of validation. */
    private static final int MOST_ROUNDS = 1000;

    private static final int LARGEST = 127;
    private static final int START_BYTES = 512;

    private ReportPage() {}

    /** @return whether the file holds such a page, or nothing */
    public static boolean isOne(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            String start = new String(in.readNBytes(START_BYTES), StandardCharsets.UTF_8);
            return start.isEmpty() || start.contains("<title>Inside the model</title>");
        }
    }

    public static String of(Inspection inspection) throws IOException {
        return of(inspection, MOST_ACTIVATIONS);
    }

    /** @param most activations that the page holds */
    static String of(Inspection inspection, long most) throws IOException {
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("model", inspection.model());
        page.put("rounds", rounds(inspection.metrics()));
        page.put("clipped_share", inspection.clippedShare());
        page.put("samples", inspection.samples());
        page.put("untrained", inspection.untrained());
        page.put("trained", inspection.trained());
        int shown = shown(inspection, most);
        page.put("text", inspection.text().subList(0, shown));
        page.put("surprise", Arrays.copyOf(inspection.surprise(), shown));
        page.put("read", inspection.text().size());
        page.put("bits_per_token", inspection.bitsPerToken());
        List<Object> layers = new ArrayList<>();
        for (Inspection.LayerView layer : inspection.layers()) {
            Map<String, Object> view = new LinkedHashMap<>();
            view.put("saturation", layer.saturation());
            view.put("following", layer.following());
            view.put("activations", packed(layer.activations(), shown));
            layers.add(view);
        }
        page.put("layers", layers);
        try (InputStream in = ReportPage.class.getResourceAsStream("report.html")) {
            String template = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            // A text may hold what ends a script.
            return template.replace("{{data}}", MAPPER.writeValueAsString(page).replace("<", "\\u003c"));
        }
    }

    /** @return what the curves show */
    static List<Map<String, Object>> rounds(List<Map<String, Object>> metrics) {
        int last = metrics.size() - 1;
        int step = 1 + last / MOST_ROUNDS;
        return IntStream.rangeClosed(0, last)
                .filter(i -> i % step == 0 || i == last || metrics.get(i).get("validation_loss") != null)
                .mapToObj(metrics::get)
                .map(round -> {
                    Map<String, Object> shown = new LinkedHashMap<>(round);
                    shown.keySet().retainAll(Set.of("tokens", "training_loss", "validation_loss"));
                    return shown;
                })
                .toList();
    }

    private static int shown(Inspection inspection, long most) {
        GateTrace.Layer layer = inspection.layers().get(0).activations();
        long perToken = (long) inspection.layers().size()
                * inspection.model().hidden()
                * (layer.gates().size() + layer.values().size());
        return (int) Math.min(inspection.text().size(), Math.max(1, most / perToken));
    }

    /**
     * Numbers of some steps, the largest of each cell as 127.
     *
     * @param values {@code [steps][hidden]}, a signed byte each, in base 64
     * @param largest of each cell what 127 stands for; 1 for what is within bounds anyway
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
                        (byte) Math.round(LARGEST * values[step][i] / Math.max(largest[i], Float.MIN_NORMAL));
            }
        }
        return new Packed(Base64.getEncoder().encodeToString(bytes), largest);
    }
}
