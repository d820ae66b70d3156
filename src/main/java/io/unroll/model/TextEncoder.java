package io.unroll.model;

import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
    private final INDArray parameters;
    private final INDArray gradient;
    private final INDArray groupGradient;
    private final StepWorkspace workspace;
    /** One for each group of a batch, because the backward passes follow after all forward passes. */
    private final List<RecurrentStack> groupStacks = new ArrayList<>();

    private List<int[]> groups = List.of();
    private float[][] tokenStates = {};

    TextEncoder(NetworkShape shape, INDArray parameters, INDArray gradient, StepWorkspace workspace) {
        this.shape = shape;
        this.parameters = parameters;
        this.gradient = gradient;
        this.groupGradient = Nd4j.create(DataType.FLOAT, 1, shape.parameters());
        this.workspace = workspace;
    }

    @Override
    public void encode(int[][] sources, boolean training, RecurrentStack decoder, Head head) {
        decoder.setState(read(sources, training));
        head.setSources(tokenStates);
    }

    /** @return the last state of each lane */
    RecurrentState read(int[][] sources, boolean training) {
        groups = byLength(sources);
        // Without a backward pass, all groups can use the same stack in turn.
        while (groupStacks.size() < (training ? groups.size() : 1)) {
            groupStacks.add(new RecurrentStack(shape, parameters, groupGradient, workspace));
        }
        float[][] lastState = new float[shape.stateArrays()][sources.length * size()];
        tokenStates = new float[sources.length][];
        for (int i = 0; i < groups.size(); i++) {
            int[] lanes = groups.get(i);
            RecurrentStack stack = groupStacks.get(training ? i : 0);
            stack.setState(RecurrentState.ZERO);
            INDArray outputs = stack.forward(timeMajor(sources, lanes), lanes.length, training, true);
            if (shape.model().attention() != Settings.Attention.NONE) {
                storeTokenStates(NativeFloats.copy(outputs), lanes);
            }
            float[][] groupState = stack.state().arrays();
            for (int array = 0; array < lastState.length; array++) {
                for (int j = 0; j < lanes.length; j++) {
                    copyRow(groupState[array], j, lastState[array], lanes[j]);
                }
            }
        }
        return new RecurrentState(lastState);
    }

    /** @param outputs outputs of a group, {@code [steps, lanes, hidden]} */
    private void storeTokenStates(float[] outputs, int[] lanes) {
        int steps = outputs.length / (lanes.length * size());
        for (int j = 0; j < lanes.length; j++) {
            tokenStates[lanes[j]] = new float[steps * size()];
            for (int step = 0; step < steps; step++) {
                copyRow(outputs, step * lanes.length + j, tokenStates[lanes[j]], step);
            }
        }
    }

    /** @return the states of the last {@link #read} for attention, for each lane {@code [tokens, hidden]} */
    float[][] tokenStates() {
        return tokenStates;
    }

    /** @return the rows {@code [tokens, hidden]} of each lane in reverse order */
    float[][] reversed(float[][] rows) {
        float[][] reversed = new float[rows.length][];
        for (int lane = 0; lane < rows.length; lane++) {
            reversed[lane] = new float[rows[lane].length];
            int tokens = rows[lane].length / size();
            for (int token = 0; token < tokens; token++) {
                copyRow(rows[lane], token, reversed[lane], tokens - 1 - token);
            }
        }
        return reversed;
    }

    private void copyRow(float[] from, int fromRow, float[] to, int toRow) {
        System.arraycopy(from, fromRow * size(), to, toRow * size(), size());
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
    public void backward(RecurrentStack decoder, Head head) {
        backward(decoder.stateGradient(), head.sourceGradient());
    }

    /** @param tokenGradient gradient with respect to {@link #tokenStates}; empty for zero */
    void backward(RecurrentState lastStateGradient, float[][] tokenGradient) {
        float[][] all = lastStateGradient.arrays();
        for (int i = 0; i < groups.size(); i++) {
            int[] lanes = groups.get(i);
            float[][] ofGroup = new float[all.length][lanes.length * size()];
            for (int array = 0; array < all.length; array++) {
                for (int j = 0; j < lanes.length; j++) {
                    copyRow(all[array], lanes[j], ofGroup[array], j);
                }
            }
            groupGradient.assign(0);
            RecurrentStack stack = groupStacks.get(i);
            stack.backward(outputGradient(tokenGradient, lanes, stack.steps()), new RecurrentState(ofGroup));
            gradient.addi(groupGradient);
        }
    }

    /** @return the gradient with respect to a group's outputs, {@code [steps, lanes, hidden]} */
    private INDArray outputGradient(float[][] tokenGradient, int[] lanes, int steps) {
        float[] rows = new float[steps * lanes.length * size()];
        for (int j = 0; tokenGradient.length > 0 && j < lanes.length; j++) {
            for (int step = 0; step < steps; step++) {
                copyRow(tokenGradient[lanes[j]], step, rows, step * lanes.length + j);
            }
        }
        INDArray outputGradient = workspace.array(steps, lanes.length, size());
        NativeFloats.of(outputGradient).put(rows);
        return outputGradient;
    }

    @Override
    public void parametersChanged() {
        groupStacks.forEach(RecurrentStack::parametersChanged);
    }

    @Override
    public void close() {
        groupStacks.forEach(RecurrentStack::close);
        groupGradient.close();
    }
}
