package io.unroll.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.inference.TextInference.ScoredSession;
import io.unroll.inference.TextInference.Session;
import io.unroll.inference.TextScore.Unscored;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import io.unroll.task.LanguageModel;
import io.unroll.task.Task;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextInferenceTest {
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz .,";

    private static TrainedModel model(String settings) {
        return model(
                "model { layers = 2, hidden = 40, embedding = 16, tied = false }\ncorpus.documents = reset\n"
                        + settings,
                Map.of(Vocabularies.TOKENS, counts()));
    }

    private static Map<String, Long> counts() {
        Map<String, Long> counts = new java.util.HashMap<>();
        LETTERS.chars().forEach(letter -> counts.put(Character.toString(letter), 5L));
        return counts;
    }

    private static TrainedModel model(String text, Map<String, Map<String, Long>> counts) {
        Settings settings = SettingsReader.parse("run.directory = r, corpus.path = p\n" + text, "test");
        Vocabularies vocabularies = Task.of(settings).examples().orElseThrow().vocabularies(counts);
        TrainedModel untrained = new TrainedModel(null, settings, vocabularies, new float[0], new float[0]);
        try (Network network = new Network(untrained.shape(), 7)) {
            float[] parameters = network.parameters();
            for (int i = 0; i < parameters.length; i++) {
                parameters[i] *= 3; // probabilities that differ
            }
            return new TrainedModel(null, settings, vocabularies, parameters, new float[0]);
        }
    }

    private static List<String> texts(int count, int maxLength) {
        Random random = new Random(3);
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    int length = 1 + random.nextInt(maxLength);
                    StringBuilder text = new StringBuilder("x");
                    random.ints(length, 0, LETTERS.length()).forEach(letter -> text.append(LETTERS.charAt(letter)));
                    return text.toString();
                })
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "gru", "rnn", "lstm\nmodel.peepholes = true"})
    void scoreDependsOnNothingButTheText(String cell) {
        TextInference inference = new TextInference(model("model.cell = " + cell));
        List<String> texts = new ArrayList<>(texts(150, 100));
        texts.add("a".repeat(3000));
        try (Network network = inference.network()) {
            List<TextScore> together = inference.score(network, texts, true);
            List<Integer> order =
                    new ArrayList<>(IntStream.range(0, texts.size()).boxed().toList());
            Collections.shuffle(order, new Random(5));
            List<TextScore> shuffled =
                    inference.score(network, order.stream().map(texts::get).toList(), true);
            for (int i = 0; i < order.size(); i++) {
                assertSame(together.get(order.get(i)), shuffled.get(i));
            }
            for (int i : new int[] {0, 17, 149, 150}) {
                assertSame(
                        together.get(i),
                        inference.score(network, List.of(texts.get(i)), true).get(0));
            }
        }
    }

    private static void assertSame(TextScore expected, TextScore actual) {
        assertArrayEquals(expected.bits(), actual.bits());
        assertEquals(expected.score(), actual.score());
        assertEquals(expected.maxRank(), actual.maxRank());
        assertEquals(expected.maxPosition(), actual.maxPosition());
        assertEquals(expected.expected(), actual.expected());
    }

    @Test
    void scoresAreThoseOfTheNetworkStepByStep() {
        TrainedModel model = model("");
        TextInference inference = new TextInference(model);
        Tokenizer tokenizer = model.vocabularies().tokens();
        String text = "the end; of it";
        try (Network network = inference.network()) {
            TextScore score = inference.score(network, List.of(text), true).get(0);
            int[] tokens = ((LanguageModel) model.task()).rowTokens(text, true, true, tokenizer);
            assertEquals(tokens.length - 1, score.tokens());
            assertEquals(1, score.unknownTokens());
            network.setState(RecurrentState.ZERO);
            double sum = 0;
            double most = 0;
            int rank = 0;
            for (int i = 0; i < tokens.length - 1; i++) {
                float[] logits = network.nextLogits(tokens[i]);
                double norm = 0;
                int better = 1;
                for (float logit : logits) {
                    norm += Math.exp(logit);
                    better += logit > logits[tokens[i + 1]] ? 1 : 0;
                }
                double bits = (Math.log(norm) - logits[tokens[i + 1]]) / Math.log(2);
                assertEquals(bits, score.bits()[i], 1e-4);
                sum += bits;
                rank = Math.max(rank, better);
                if (bits > most + 1e-4) {
                    most = bits;
                    if (i == score.maxPosition()) {
                        int best = IntStream.range(0, logits.length)
                                .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                                .orElseThrow();
                        assertEquals(tokenizer.symbol(best), score.expected().get(0));
                    }
                }
            }
            assertEquals(sum / score.tokens(), score.score(), 1e-5);
            assertEquals(most, score.maxBits(), 1e-4);
            assertEquals(rank, score.maxRank());
            assertEquals(5, score.expected().size());
        }
    }

    @Test
    void unreadableTextsHaveAReason() {
        TextInference inference = new TextInference(model(""));
        try (Network network = inference.network()) {
            List<String> texts = Arrays.asList(null, " ", "a".repeat((1 << 20) + 1), "a\0b", "ok");
            List<TextScore> scores = inference.score(network, texts, false);
            assertEquals(
                    Arrays.asList(Unscored.NULL, Unscored.EMPTY, Unscored.TOO_LONG, Unscored.MALFORMED, null),
                    scores.stream().map(TextScore::unscored).toList());
            assertEquals(4, scores.get(4).tokens() + 1);
        }
    }

    /** The rows of a document together, one by one with the state between, and as one text have equal scores. */
    @Test
    void rowsOfADocumentCarryTheState() {
        TrainedModel model = model("corpus.columns { document = host, order = time }");
        TextInference inference = new TextInference(model);
        List<String> rows = texts(20, 30);
        try (Network network = inference.network()) {
            List<Session> sessions = new ArrayList<>(List.of(new Session(rows, true, true, null)));
            texts(40, 9).forEach(text -> sessions.add(new Session(List.of(text, "abc", text), true, true, null)));
            List<TextScore> together =
                    inference.scoreSessions(network, sessions, true).get(0).scores();

            float[][] state = null;
            boolean begins = true;
            for (int i = 0; i < rows.size(); i++) {
                Session row = new Session(Arrays.asList(null, rows.get(i)), begins, i == rows.size() - 1, state);
                ScoredSession scored =
                        inference.scoreSessions(network, List.of(row), true).get(0);
                assertSame(together.get(i), scored.scores().get(1));
                assertEquals(Unscored.NULL, scored.scores().get(0).unscored());
                state = scored.state();
                begins = scored.begins();
            }
            assertFalse(begins);

            int[] tokens = IntStream.range(0, rows.size())
                    .flatMap(i -> Arrays.stream(((LanguageModel) model.task())
                                    .rowTokens(
                                            rows.get(i),
                                            i == 0,
                                            i == rows.size() - 1,
                                            model.vocabularies().tokens()))
                            .skip(i == 0 ? 0 : 1))
                    .toArray();
            double bits = 0;
            network.setState(RecurrentState.ZERO);
            for (int i = 0; i < tokens.length - 1; i++) {
                float[] logits = network.nextLogits(tokens[i]);
                double norm = IntStream.range(0, logits.length)
                        .mapToDouble(token -> Math.exp(logits[token]))
                        .sum();
                bits += (Math.log(norm) - logits[tokens[i + 1]]) / Math.log(2);
            }
            double sum = together.stream()
                    .mapToDouble(score -> score.score() * score.tokens())
                    .sum();
            assertEquals(bits, sum, 1e-3);
            assertNull(together.get(0).unscored());
        }
    }

    @Test
    void predictionsAndVectorsDependOnNothingButTheText() {
        for (String task : List.of("classification", "seq2seq", "seq2seq\nmodel.attention = general")) {
            TextInference inference = new TextInference(model(
                    "model { layers = 2, hidden = 40, embedding = 16, tied = false }\ntask = " + task,
                    Map.of(
                            Vocabularies.TOKENS,
                            counts(),
                            "labels",
                            Map.of("a", 3L, "b", 4L, "c", 1L),
                            "source",
                            counts())));
            List<String> texts = new ArrayList<>(texts(40, 12));
            texts.add(3, null);
            try (Network network = inference.network()) {
                List<TextPrediction> together = inference.predict(network, texts, 3);
                assertEquals(Unscored.NULL, together.get(3).unscored());
                for (int i = 0; i < texts.size(); i += 5) {
                    TextPrediction alone = inference
                            .predict(network, Collections.singletonList(texts.get(i)), 3)
                            .get(0);
                    assertEquals(together.get(i), alone, task);
                }
            }
        }
    }
}
