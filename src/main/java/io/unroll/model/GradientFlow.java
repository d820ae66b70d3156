package io.unroll.model;

import io.unroll.chunk.Batch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * How far back a network learns: the norm of the gradient of the loss at step t with respect to the state of a layer at
 * step t - k (Bengio et al. 1994, Pascanu et al. 2013). A lane starts from the zero state, and the loss is that of its
 * last token:
 *
 * <pre>
 *   lane    x x x x x x x y
 *           |       |     |
 *           zero    t - k t, the loss
 *           state
 * </pre>
 *
 * @param state "hidden" or "cell"
 * @param norms mean over the lanes for each lag k
 */
public record GradientFlow(int layer, String state, SortedMap<Integer, Double> norms) {
    private static final double LAG_RATIO = 1.25;

    /** @return lags from 1 to {@code max}, each about 25 % larger than the previous one */
    static List<Integer> lags(int max) {
        List<Integer> lags = new ArrayList<>();
        for (double lag = 1; lag < max; lag = Math.max(lag + 1, lag * LAG_RATIO)) {
            lags.add((int) lag);
        }
        lags.add(max);
        return lags;
    }

    /**
     * @param lanes tokens of equally long lanes, at least two in each
     * @return the gradient flow to each array of the network's state
     */
    public static List<GradientFlow> measure(Network network, int[][] lanes) {
        int arraysPerLayer =
                network.shape().stateArrays() / network.shape().model().layers();
        List<GradientFlow> flows = new ArrayList<>();
        for (int array = 0; array < network.shape().stateArrays(); array++) {
            String state = array % arraysPerLayer == 0 ? "hidden" : "cell";
            flows.add(new GradientFlow(array / arraysPerLayer, state, new TreeMap<>()));
        }
        forEachLag(network, lanes, (lag, gradient) -> {
            for (int array = 0; array < gradient.length; array++) {
                flows.get(array).norms.put(lag, meanNorm(lanes.length, gradient[array]));
            }
        });
        return flows;
    }

    /**
     * @param lanes tokens of equally long lanes, at least two in each
     * @return for each lag k the norm of the gradient with respect to all layers' states together
     */
    public static SortedMap<Integer, Double> totalNorms(Network network, int[][] lanes) {
        SortedMap<Integer, Double> norms = new TreeMap<>();
        forEachLag(network, lanes, (lag, gradient) -> norms.put(lag, meanNorm(lanes.length, gradient)));
        return norms;
    }

    /** @param gradients called with each lag and the gradient with respect to the state at that lag */
    private static void forEachLag(Network network, int[][] lanes, BiConsumer<Integer, float[][]> gradients) {
        int lastStep = lanes[0].length - 1;
        List<Integer> lags = lags(lastStep);
        network.setState(RecurrentState.ZERO);
        int stepsRead = 0;
        for (int i = lags.size() - 1; i >= 0; i--) {
            int start = lastStep - lags.get(i);
            if (start > stepsRead) {
                network.evaluate(batch(lanes, stepsRead, start));
                stepsRead = start;
            }
            RecurrentState state = network.state();
            gradients.accept(
                    lags.get(i),
                    network.stateGradient(batch(lanes, start, lastStep)).arrays());
            network.setState(state);
        }
    }

    /** @return a batch of the steps from {@code from} to {@code to}, whose only targets are the lanes' last tokens */
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
