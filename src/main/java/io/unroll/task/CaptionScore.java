package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * BLEU and the share of captions that equal a reference of their image.
 *
 * @param images the captions of each image, by a hash of its pixels
 */
record CaptionScore(Loss loss, Map<String, Captions> images) implements Score {
    /**
     * @param answer the model's caption
     * @param references the captions in the corpus
     */
    record Captions(int[] answer, List<int[]> references) implements Serializable {
        Captions plus(Captions other) {
            List<int[]> merged = new ArrayList<>(references);
            merged.addAll(other.references);
            return new Captions(answer, merged);
        }

        private boolean matches() {
            return references.stream().anyMatch(reference -> Arrays.equals(reference, answer));
        }
    }

    @Override
    public Score plus(Score other) {
        Map<String, Captions> merged = new HashMap<>(images);
        ((CaptionScore) other).images.forEach((image, captions) -> merged.merge(image, captions, Captions::plus));
        return new CaptionScore(loss.plus(other.loss()), merged);
    }

    @Override
    public Map<String, Object> metrics(Vocabularies vocabularies) {
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("tokens", loss.tokens());
        metrics.put("cross_entropy", loss.mean());
        metrics.put("images", images.size());
        long exact = images.values().stream().filter(Captions::matches).count();
        metrics.put("exact_match", (double) exact / images.size());
        Bleu bleu = images.values().stream()
                .map(captions -> Bleu.of(captions.answer, captions.references))
                .reduce(Bleu::plus)
                .orElseThrow();
        for (int n = 1; n <= Bleu.MAX_ORDER; n++) {
            metrics.put("bleu_" + n, bleu.value(n));
        }
        return metrics;
    }
}
