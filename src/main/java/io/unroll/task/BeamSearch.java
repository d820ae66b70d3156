package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Beam search for the most probable sequence, given a source. A width of 1 is greedy decoding. Probabilities are not
 * normalized by length. A sequence has at least one token, as in training.
 *
 * @param start start token
 * @param end end token
 * @param width number of hypotheses of each source that are kept at each step
 * @param fixedLanes whether all steps have as many lanes as there can be hypotheses: otherwise, they have fewer when
 *     sources are finished, which is faster, but what is computed for a source can depend on the others
 */
record BeamSearch(int start, int end, int width, boolean fixedLanes) {
    BeamSearch inFixedLanes() {
        return new BeamSearch(start, end, width, true);
    }

    /**
     * A sequence that is finished or can be extended.
     *
     * @param source index of its source
     * @param lane lane of the recurrent state after its last token
     */
    private record Hypothesis(int source, List<Integer> tokens, double logProbability, int lane, boolean finished) {
        Hypothesis extend(int token, double tokenLogProbability, int newLane, int end, int maxTokens) {
            List<Integer> extended = new ArrayList<>(tokens);
            if (token != end) {
                extended.add(token);
            }
            return new Hypothesis(
                    source,
                    extended,
                    logProbability + tokenLogProbability,
                    newLane,
                    token == end || extended.size() == maxTokens);
        }
    }

    private static final Comparator<Hypothesis> BEST_FIRST =
            Comparator.comparingDouble((Hypothesis hypothesis) -> -hypothesis.logProbability);

    /**
     * Decodes one sequence for each source.
     *
     * @param maxTokens maximum length of each sequence
     * @return the sequences, without start and end token
     */
    List<Task.Answer> decode(Network network, int[][] sources, int[] maxTokens) {
        network.encode(sources);
        List<List<Hypothesis>> hypotheses = new ArrayList<>();
        for (int i = 0; i < sources.length; i++) {
            hypotheses.add(List.of(new Hypothesis(i, List.of(), 0, i, maxTokens[i] == 0)));
        }
        int lanes = sources.length;
        while (hypotheses.stream().anyMatch(BeamSearch::isUnfinished)) {
            List<Hypothesis> live = hypotheses.stream()
                    .filter(BeamSearch::isUnfinished)
                    .flatMap(List::stream)
                    .filter(hypothesis -> !hypothesis.finished)
                    .collect(Collectors.toCollection(ArrayList::new));
            while (fixedLanes && live.size() < sources.length * width) {
                live.add(live.get(0));
            }
            network.setState(selectLanes(network.state(), lanes, live));
            network.selectSources(live.stream().mapToInt(Hypothesis::source).toArray());
            lanes = live.size();
            hypotheses = step(hypotheses, nextLogits(network, live), maxTokens);
        }
        return hypotheses.stream()
                .map(sourceHypotheses -> Collections.min(sourceHypotheses, BEST_FIRST))
                .map(best -> new Task.Answer(
                        best.tokens.stream().mapToInt(Integer::intValue).toArray(), best.logProbability))
                .toList();
    }

    /** @return whether the best hypothesis is unfinished; if it is finished, no other can become more probable */
    private static boolean isUnfinished(List<Hypothesis> sourceHypotheses) {
        return !Collections.min(sourceHypotheses, BEST_FIRST).finished;
    }

    /** @return the next-token logits of each live hypothesis, {@code [live, vocabulary]} */
    private float[][] nextLogits(Network network, List<Hypothesis> live) {
        int[] last = live.stream()
                .mapToInt(hypothesis ->
                        hypothesis.tokens.isEmpty() ? start : hypothesis.tokens.get(hypothesis.tokens.size() - 1))
                .toArray();
        float[] logits = network.logits(new Batch(last.length, 1, last, new int[last.length]));
        int size = logits.length / last.length;
        return IntStream.range(0, last.length)
                .mapToObj(lane -> Arrays.copyOfRange(logits, lane * size, (lane + 1) * size))
                .toArray(float[][]::new);
    }

    private List<List<Hypothesis>> step(List<List<Hypothesis>> hypotheses, float[][] logits, int[] maxTokens) {
        List<List<Hypothesis>> next = new ArrayList<>();
        int lane = 0;
        for (int source = 0; source < hypotheses.size(); source++) {
            List<Hypothesis> sourceHypotheses = hypotheses.get(source);
            boolean unfinished = isUnfinished(sourceHypotheses);
            List<Hypothesis> candidates = new ArrayList<>();
            for (Hypothesis hypothesis : sourceHypotheses) {
                if (unfinished && !hypothesis.finished) {
                    extend(hypothesis, lane, logits[lane], maxTokens[source], candidates);
                    lane++;
                } else {
                    candidates.add(hypothesis);
                }
            }
            candidates.sort(BEST_FIRST);
            next.add(candidates.subList(0, Math.min(width, candidates.size())));
        }
        return next;
    }

    /** Adds the {@code width} most probable extensions of a hypothesis to the candidates. */
    private void extend(Hypothesis hypothesis, int lane, float[] logits, int maxTokens, List<Hypothesis> candidates) {
        double[] probabilities = ClassificationScore.softmax(logits, 0, logits.length);
        IntStream.range(0, logits.length)
                .filter(token -> token != start && (token != end || !hypothesis.tokens.isEmpty()))
                .boxed()
                .sorted(Comparator.comparing((Integer token) -> -logits[token]))
                .limit(width)
                .forEach(token ->
                        candidates.add(hypothesis.extend(token, Math.log(probabilities[token]), lane, end, maxTokens)));
    }

    /** @return the recurrent state of the live hypotheses, in the order of {@code live} */
    private static RecurrentState selectLanes(RecurrentState state, int lanes, List<Hypothesis> live) {
        float[][] selected = new float[state.arrays().length][];
        for (int i = 0; i < selected.length; i++) {
            float[] array = state.arrays()[i];
            int size = array.length / lanes;
            selected[i] = new float[live.size() * size];
            for (int j = 0; j < live.size(); j++) {
                System.arraycopy(array, live.get(j).lane * size, selected[i], j * size, size);
            }
        }
        return new RecurrentState(selected);
    }
}
