package io.unroll.model;

import io.unroll.chunk.Batch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * How far back a network learns: the norm of the gradient of the loss at step t with respect to the state of each layer
 * at step t - k (Bengio et al. 1994, Pascanu et al. 2013). A lane is read from the zero state, and the loss is of its
 * last token:
 *
 * <pre>
 *   lane    x x x x x x x y
 *           |       |     |
 *           zero    t - k t, the loss
 *           state
 * </pre>
 *
 * @param state hidden, or cell
 * @param norms by k, the mean over the lanes
 */
public record GradientFlow(int layer, String state, SortedMap<Integer, Double> norms) {
    private static final double RATIO = 1.25;

    /** @return lags from 1 to the furthest, each about a quarter more than the one before */
    static List<Integer> lags(int furthest) {
        List<Integer> lags = new ArrayList<>();
        for (double lag = 1; lag < furthest; lag = Math.max(lag + 1, lag * RATIO)) {
            lags.add((int) lag);
        }
        lags.add(furthest);
        return lags;
    }

    /**
     * @param lanes of equal length, two tokens at the least
     * @return one for each array in the network's state
     */
    public static List<GradientFlow> through(Network network, int[][] lanes) {
        int each = network.shape().stateArrays() / network.shape().model().layers();
        List<GradientFlow> flows = new ArrayList<>();
        for (int array = 0; array < network.shape().stateArrays(); array++) {
            flows.add(new GradientFlow(array / each, array % each == 0 ? "hidden" : "cell", new TreeMap<>()));
        }
        walk(network, lanes, (lag, gradient) -> {
            for (int array = 0; array < gradient.length; array++) {
                flows.get(array).norms.put(lag, meanNorm(lanes.length, gradient[array]));
            }
        });
        return flows;
    }

    /**
     * @param lanes of equal length, two tokens at the least
     * @return the norms by k, of all layers' states together
     */
    public static SortedMap<Integer, Double> ofWholeState(Network network, int[][] lanes) {
        SortedMap<Integer, Double> norms = new TreeMap<>();
        walk(network, lanes, (lag, gradient) -> norms.put(lag, meanNorm(lanes.length, gradient)));
        return norms;
    }

    /** @param gradients takes each lag, and the gradient of the lanes' losses with respect to the state then */
    private static void walk(Network network, int[][] lanes, BiConsumer<Integer, float[][]> gradients) {
        int furthest = lanes[0].length - 1;
        List<Integer> lags = lags(furthest);
        network.setState(RecurrentState.ZERO);
        int read = 0;
        for (int i = lags.size() - 1; i >= 0; i--) {
            int start = furthest - lags.get(i);
            if (start > read) {
                network.evaluate(batch(lanes, read, start));
                read = start;
            }
            RecurrentState state = network.state();
            gradients.accept(
                    lags.get(i),
                    network.stateGradient(batch(lanes, start, furthest)).arrays());
            network.setState(state);
        }
    }

    /** @return the tokens in between; only what follows the last one is counted, and only at the lanes' end */
    private static Batch batch(int[][] lanes, int from, int to) {
        int steps = to - from;
        int[] inputs = new int[lanes.length * steps];
        int[] targets = new int[inputs.length];
        Arrays.fill(targets, Batch.IGNORED);
        for (int lane = 0; lane < lanes.length; lane++) {
            System.arraycopy(lanes[lane], from, inputs, lane * steps, steps);
            if (to == lanes[lane].length - 1) {
                targets[lane * steps + steps - 1] = lanes[lane][to];
            }
        }
        return new Batch(lanes.length, steps, inputs, targets);
    }

    private static double meanNorm(int lanes, float[]... states) {
        double sum = 0;
        for (int lane = 0; lane < lanes; lane++) {
            double square = 0;
            for (float[] rows : states) {
                int size = rows.length / lanes;
                for (int i = lane * size; i < (lane + 1) * size; i++) {
                    square += (double) rows[i] * rows[i];
                }
            }
            sum += Math.sqrt(square);
        }
        return sum / lanes;
    }
}
