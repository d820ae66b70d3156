package io.unroll.model;

import io.unroll.kernel.Scratchpad;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Recurrent layers whose last state is what they have read. Lanes of equal length are read together, so that nothing is
 * padded, and the last step of each is its own:
 *
 * <pre>
 *   lanes      a b c     d e     f g h     i       batch of 4
 *
 *   group 1    i
 *   group 2    d e
 *   group 3    a b c
 *              f g h
 * </pre>
 */
final class TextEncoder implements Encoder {
    private final NetworkShape shape;
    private final MultiLayerConfiguration configuration;
    private final ParameterOrder order;
    private final INDArray parameters;
    private final INDArray gradient;
    private final INDArray groupGradient;
    private final StepArrays arrays;
    private final Scratchpad scratchpad;
    /** One for each group of a batch, since the backward passes come after all forward ones. */
    private final List<Stack> stacks = new ArrayList<>();

    private List<int[]> groups = List.of();
    private boolean packed;
    private final boolean keepsStates;
    private float[][] states = {};

    /** @param keepsStates whether {@link #states} will be asked for */
    TextEncoder(
            NetworkShape shape,
            INDArray parameters,
            INDArray gradient,
            StepArrays arrays,
            Scratchpad scratchpad,
            boolean keepsStates) {
        this.shape = shape;
        this.keepsStates = keepsStates;
        this.configuration = shape.configuration(EncoderShape.UNUSED_SEED);
        this.order = new ParameterOrder(shape, configuration);
        this.parameters = parameters;
        this.gradient = gradient;
        this.groupGradient = Nd4j.create(DataType.FLOAT, 1, order.total());
        this.arrays = arrays;
        this.scratchpad = scratchpad;
    }

    @Override
    public float[][] encode(int[][] sources, boolean training) {
        groups = byLength(sources);
        // Without a backward pass, one after the other will do.
        while (stacks.size() < (training ? groups.size() : 1)) {
            stacks.add(new Stack(shape, configuration, order, parameters, groupGradient, arrays, scratchpad));
            packed = false;
        }
        pack(training);
        float[][] last = null;
        states = new float[sources.length][];
        for (int i = 0; i < groups.size(); i++) {
            int[] lanes = groups.get(i);
            Stack stack = stacks.get(training ? i : 0);
            stack.setState(new float[0][]);
            INDArray outputs = stack.forward(timeMajor(sources, lanes), lanes.length, training, true);
            if (keepsStates) {
                split(Floats.copy(outputs), lanes);
            }
            float[][] ofGroup = stack.state();
            last = last == null ? new float[ofGroup.length][sources.length * size()] : last;
            for (int array = 0; array < last.length; array++) {
                for (int j = 0; j < lanes.length; j++) {
                    System.arraycopy(ofGroup[array], j * size(), last[array], lanes[j] * size(), size());
                }
            }
        }
        return last;
    }

    /** @param outputs {@code [steps, lanes, hidden]} of a group */
    private void split(float[] outputs, int[] lanes) {
        int steps = outputs.length / (lanes.length * size());
        for (int j = 0; j < lanes.length; j++) {
            states[lanes[j]] = new float[steps * size()];
            for (int step = 0; step < steps; step++) {
                System.arraycopy(outputs, (step * lanes.length + j) * size(), states[lanes[j]], step * size(), size());
            }
        }
    }

    @Override
    public float[][] states() {
        return states;
    }

    /** @return each lane's rows {@code [tokens, hidden]} from the last to the first */
    float[][] turned(float[][] rows) {
        float[][] turned = new float[rows.length][];
        for (int lane = 0; lane < rows.length; lane++) {
            turned[lane] = new float[rows[lane].length];
            for (int at = 0; at < rows[lane].length; at += size()) {
                System.arraycopy(rows[lane], at, turned[lane], rows[lane].length - at - size(), size());
            }
        }
        return turned;
    }

    private void pack(boolean training) {
        if (training) {
            stacks.forEach(Stack::packEachPass);
            packed = false;
        } else if (!packed) {
            stacks.forEach(Stack::keepPacked);
            packed = true;
        }
    }

    private int size() {
        return shape.model().hidden();
    }

    private static List<int[]> byLength(int[][] sources) {
        Map<Integer, List<Integer>> lanes = new TreeMap<>();
        for (int lane = 0; lane < sources.length; lane++) {
            lanes.computeIfAbsent(sources[lane].length, length -> new ArrayList<>())
                    .add(lane);
        }
        return lanes.values().stream()
                .map(group -> group.stream().mapToInt(Integer::intValue).toArray())
                .toList();
    }

    private static int[] timeMajor(int[][] sources, int[] lanes) {
        int steps = sources[lanes[0]].length;
        int[] tokens = new int[steps * lanes.length];
        for (int step = 0; step < steps; step++) {
            for (int j = 0; j < lanes.length; j++) {
                tokens[step * lanes.length + j] = sources[lanes[j]][step];
            }
        }
        return tokens;
    }

    @Override
    public void backward(float[][] lastGradient, float[][] statesGradient) {
        for (int i = 0; i < groups.size(); i++) {
            int[] lanes = groups.get(i);
            float[][] ofGroup = new float[lastGradient.length][lanes.length * size()];
            for (int array = 0; array < ofGroup.length; array++) {
                for (int j = 0; j < lanes.length; j++) {
                    System.arraycopy(lastGradient[array], lanes[j] * size(), ofGroup[array], j * size(), size());
                }
            }
            groupGradient.assign(0);
            stacks.get(i).setLastStateGradient(ofGroup);
            stacks.get(i).backward(error(statesGradient, lanes, stacks.get(i).steps()));
            gradient.addi(groupGradient);
        }
    }

    /** @return the gradient with respect to a group's outputs, {@code [steps, lanes, hidden]} */
    private INDArray error(float[][] statesGradient, int[] lanes, int steps) {
        float[] rows = new float[steps * lanes.length * size()];
        for (int j = 0; statesGradient != null && j < lanes.length; j++) {
            for (int step = 0; step < steps; step++) {
                System.arraycopy(
                        statesGradient[lanes[j]], step * size(), rows, (step * lanes.length + j) * size(), size());
            }
        }
        long[] outputs = {steps, lanes.length, size()};
        INDArray error = arrays.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, outputs, 'c');
        Floats.of(error).put(rows);
        return error;
    }

    @Override
    public void parametersChanged() {
        packed = false;
    }

    @Override
    public void close() {
        stacks.forEach(Stack::close);
        groupGradient.close();
    }
}
