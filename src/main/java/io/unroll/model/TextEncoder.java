package io.unroll.model;

import io.unroll.kernel.KernelMemory;
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
 * Encodes token sequences with a recurrent network. Sources of equal length are read together as a group, so that there
 * is no padding and the state after a group's last step is the last state of all its lanes:
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
    private final StepWorkspace workspace;
    private final KernelMemory kernelMemory;
    /** One for each group of a batch, because the backward passes follow after all forward passes. */
    private final List<RecurrentStack> groupStacks = new ArrayList<>();

    private List<int[]> groups = List.of();
    private boolean packed;
    private final boolean keepsTokenStates;
    private float[][] tokenStates = {};

    /** @param keepsTokenStates whether {@link #tokenStates} will be called */
    TextEncoder(
            NetworkShape shape,
            INDArray parameters,
            INDArray gradient,
            StepWorkspace workspace,
            KernelMemory kernelMemory,
            boolean keepsTokenStates) {
        this.shape = shape;
        this.keepsTokenStates = keepsTokenStates;
        this.configuration = shape.configuration(EncoderShape.UNUSED_SEED);
        this.order = new ParameterOrder(shape, configuration);
        this.parameters = parameters;
        this.gradient = gradient;
        this.groupGradient = Nd4j.create(DataType.FLOAT, 1, order.total());
        this.workspace = workspace;
        this.kernelMemory = kernelMemory;
    }

    @Override
    public float[][] encode(int[][] sources, boolean training) {
        groups = byLength(sources);
        // Without a backward pass, all groups can use the same stack in turn.
        while (groupStacks.size() < (training ? groups.size() : 1)) {
            groupStacks.add(new RecurrentStack(
                    shape, configuration, order, parameters, groupGradient, workspace, kernelMemory));
            packed = false;
        }
        pack(training);
        float[][] lastState = null;
        tokenStates = new float[sources.length][];
        for (int i = 0; i < groups.size(); i++) {
            int[] lanes = groups.get(i);
            RecurrentStack stack = groupStacks.get(training ? i : 0);
            stack.setState(new float[0][]);
            INDArray outputs = stack.forward(timeMajor(sources, lanes), lanes.length, training, true);
            if (keepsTokenStates) {
                storeTokenStates(NativeFloats.copy(outputs), lanes);
            }
            float[][] groupState = stack.state();
            lastState = lastState == null ? new float[groupState.length][sources.length * size()] : lastState;
            for (int array = 0; array < lastState.length; array++) {
                for (int j = 0; j < lanes.length; j++) {
                    System.arraycopy(groupState[array], j * size(), lastState[array], lanes[j] * size(), size());
                }
            }
        }
        return lastState;
    }

    /** @param outputs outputs of a group, {@code [steps, lanes, hidden]} */
    private void storeTokenStates(float[] outputs, int[] lanes) {
        int steps = outputs.length / (lanes.length * size());
        for (int j = 0; j < lanes.length; j++) {
            tokenStates[lanes[j]] = new float[steps * size()];
            for (int step = 0; step < steps; step++) {
                System.arraycopy(
                        outputs, (step * lanes.length + j) * size(), tokenStates[lanes[j]], step * size(), size());
            }
        }
    }

    @Override
    public float[][] tokenStates() {
        return tokenStates;
    }

    /** @return the rows {@code [tokens, hidden]} of each lane in reverse order */
    float[][] reversed(float[][] rows) {
        float[][] reversed = new float[rows.length][];
        for (int lane = 0; lane < rows.length; lane++) {
            reversed[lane] = new float[rows[lane].length];
            for (int start = 0; start < rows[lane].length; start += size()) {
                System.arraycopy(rows[lane], start, reversed[lane], rows[lane].length - start - size(), size());
            }
        }
        return reversed;
    }

    private void pack(boolean training) {
        if (training) {
            groupStacks.forEach(RecurrentStack::packEachPass);
            packed = false;
        } else if (!packed) {
            groupStacks.forEach(RecurrentStack::packOnce);
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
    public void backward(float[][] lastStateGradient, float[][] tokenGradient) {
        for (int i = 0; i < groups.size(); i++) {
            int[] lanes = groups.get(i);
            float[][] groupStateGradient = new float[lastStateGradient.length][lanes.length * size()];
            for (int array = 0; array < groupStateGradient.length; array++) {
                for (int j = 0; j < lanes.length; j++) {
                    System.arraycopy(
                            lastStateGradient[array], lanes[j] * size(), groupStateGradient[array], j * size(), size());
                }
            }
            groupGradient.assign(0);
            groupStacks.get(i).setLastStateGradient(groupStateGradient);
            groupStacks
                    .get(i)
                    .backward(error(tokenGradient, lanes, groupStacks.get(i).steps()));
            gradient.addi(groupGradient);
        }
    }

    /** @return the gradient with respect to a group's outputs, {@code [steps, lanes, hidden]} */
    private INDArray error(float[][] tokenGradient, int[] lanes, int steps) {
        float[] rows = new float[steps * lanes.length * size()];
        for (int j = 0; tokenGradient != null && j < lanes.length; j++) {
            for (int step = 0; step < steps; step++) {
                System.arraycopy(
                        tokenGradient[lanes[j]], step * size(), rows, (step * lanes.length + j) * size(), size());
            }
        }
        long[] outputs = {steps, lanes.length, size()};
        INDArray error = workspace.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, outputs, 'c');
        NativeFloats.of(error).put(rows);
        return error;
    }

    @Override
    public void parametersChanged() {
        packed = false;
    }

    @Override
    public void close() {
        groupStacks.forEach(RecurrentStack::close);
        groupGradient.close();
    }
}
