package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The most probable sequence after a source, among those that never fall out of the {@code width} best beginnings: with a
 * width of 1, the most probable token at each step. Probabilities are compared as they are, whatever the length. A sequence
 * has a token at least, as all have in training.
 */
record BeamSearch(int start, int end, int width) {
    /** A beginning, or where it has ended a whole sequence. */
    private record Beam(int source, List<Integer> tokens, double logProbability, int lane, boolean ended) {
        Beam then(int token, double step, int from, int end, int most) {
            List<Integer> longer = new ArrayList<>(tokens);
            if (token != end) {
                longer.add(token);
            }
            return new Beam(source, longer, logProbability + step, from, token == end || longer.size() == most);
        }
    }

    private static final Comparator<Beam> BEST_FIRST = Comparator.comparingDouble((Beam beam) -> -beam.logProbability);

    /**
     * @param most tokens of each source's sequence
     * @return for each source a sequence, without start and end
     */
    List<int[]> decode(Network network, int[][] sources, int[] most) {
        network.read(sources);
        List<List<Beam>> all = new ArrayList<>();
        for (int i = 0; i < sources.length; i++) {
            all.add(List.of(new Beam(i, List.of(), 0, i, most[i] == 0)));
        }
        int lanes = sources.length;
        while (all.stream().anyMatch(BeamSearch::isOpen)) {
            List<Beam> live = all.stream()
                    .filter(BeamSearch::isOpen)
                    .flatMap(List::stream)
                    .filter(beam -> !beam.ended)
                    .toList();
            network.setState(rows(network.state(), lanes, live));
            network.follow(live.stream().mapToInt(Beam::source).toArray());
            lanes = live.size();
            all = longer(all, logits(network, live), most);
        }
        return all.stream()
                .map(beams -> Collections.min(beams, BEST_FIRST))
                .map(best -> best.tokens.stream().mapToInt(Integer::intValue).toArray())
                .toList();
    }

    /** @return whether a beginning is more probable than every whole sequence: it can only become less so */
    private static boolean isOpen(List<Beam> beams) {
        return !Collections.min(beams, BEST_FIRST).ended;
    }

    /** @return of each live beam, in their order */
    private float[][] logits(Network network, List<Beam> live) {
        int[] last = live.stream()
                .mapToInt(beam -> beam.tokens.isEmpty() ? start : beam.tokens.get(beam.tokens.size() - 1))
                .toArray();
        float[] all = network.logits(new Batch(last.length, 1, last, new int[last.length]));
        int size = all.length / last.length;
        return IntStream.range(0, last.length)
                .mapToObj(lane -> Arrays.copyOfRange(all, lane * size, (lane + 1) * size))
                .toArray(float[][]::new);
    }

    private List<List<Beam>> longer(List<List<Beam>> all, float[][] logits, int[] most) {
        List<List<Beam>> next = new ArrayList<>();
        int lane = 0;
        for (int source = 0; source < all.size(); source++) {
            List<Beam> beams = all.get(source);
            boolean open = isOpen(beams);
            List<Beam> candidates = new ArrayList<>();
            for (Beam beam : beams) {
                if (open && !beam.ended) {
                    extend(beam, lane, logits[lane], most[source], candidates);
                    lane++;
                } else {
                    candidates.add(beam);
                }
            }
            candidates.sort(BEST_FIRST);
            next.add(candidates.subList(0, Math.min(width, candidates.size())));
        }
        return next;
    }

    /** Adds the beam's most probable continuations; more than the width can never be kept. */
    private void extend(Beam beam, int lane, float[] logits, int most, List<Beam> candidates) {
        double[] probabilities = ClassificationScore.softmax(logits, 0, logits.length);
        IntStream.range(0, logits.length)
                .filter(token -> token != start && (token != end || !beam.tokens.isEmpty()))
                .boxed()
                .sorted(Comparator.comparing((Integer token) -> -logits[token]))
                .limit(width)
                .forEach(token -> candidates.add(beam.then(token, Math.log(probabilities[token]), lane, end, most)));
    }

    /** @return the state of the beams' lanes, one after the other */
    private static RecurrentState rows(RecurrentState state, int lanes, List<Beam> live) {
        float[][] rows = new float[state.arrays().length][];
        for (int i = 0; i < rows.length; i++) {
            float[] before = state.arrays()[i];
            int size = before.length / lanes;
            rows[i] = new float[live.size() * size];
            for (int j = 0; j < live.size(); j++) {
                System.arraycopy(before, live.get(j).lane * size, rows[i], j * size, size);
            }
        }
        return new RecurrentState(rows);
    }
}
