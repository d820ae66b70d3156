package io.unroll.kernel;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST_ITER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST_ITER_C;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST_LAYER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC_ITER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC_ITER_C;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC_LAYER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS_ITER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS_LAYER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST_ITER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST_ITER_C;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST_LAYER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_ITER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_ITER_C;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_LAYER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS_ITER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS_LAYER;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS_PEEPHOLE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WORKSPACE;
import static org.bytedeco.dnnl.memory.data_type.bf16;
import static org.bytedeco.dnnl.memory.data_type.f32;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * One recurrent layer over all steps of a batch, forward and backward, for one shape of batches. Inputs are
 * {@code [steps, lanes, inputs]} and outputs {@code [steps, lanes, hidden]}, both row by row; states are
 * {@code [lanes, hidden]}. What goes in and out is float32; inside, weights and activations may be bfloat16, sums and
 * gradients are float32. Not safe for several threads.
 */
public final class RecurrentKernel implements AutoCloseable {
    /** @param training whether there will be a backward pass */
    public record Shape(Cell cell, int inputs, int hidden, int steps, int lanes, boolean bfloat16, boolean training) {}

    /** Where a layer's parameters, or their gradients, lie: {@code W}, {@code R} and {@code b} of its {@link Cell}. */
    public record Parameters(FloatPointer input, FloatPointer recurrent, FloatPointer bias) {}

    private static final int[] STATE = {DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C};
    private static final int[] LAST_STATE = {DNNL_ARG_DST_ITER, DNNL_ARG_DST_ITER_C};
    private static final int[] D_STATE = {DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C};
    private static final int[] D_LAST_STATE = {DNNL_ARG_DIFF_DST_ITER, DNNL_ARG_DIFF_DST_ITER_C};

    private final Owned owned = new Owned();
    private final Shape shape;
    private final Port input;
    private final Port output;
    private final Port[] state;
    private final Port[] lastState;
    private final Call forward;
    private final Blocks.Matrix inputWeights;
    private final Blocks.Matrix recurrentWeights;
    private final List<Call> packInput = new ArrayList<>();
    private final List<Call> packRecurrent = new ArrayList<>();
    private final Blocks biasBlocks;
    private final Blocks peepholeBlocks;
    private final memory bias;
    private final memory peepholes;
    private final Backward backward;

    /** @param scratchpad may be shared with kernels that run at other times */
    public RecurrentKernel(Shape shape, Scratchpad scratchpad) {
        this.shape = shape;
        Cell cell = shape.cell;
        memory.data_type type = shape.bfloat16 ? bf16 : f32;
        try (RecurrentPrimitives primitives = new RecurrentPrimitives(shape, type, scratchpad, owned)) {
            input = owned.add(Port.view(type, scratchpad, shape.steps, shape.lanes, shape.inputs));
            output = owned.add(Port.view(type, scratchpad, shape.steps, shape.lanes, shape.hidden));
            state = states(type, scratchpad);
            lastState = states(type, scratchpad);
            inputWeights = owned.add(new Blocks.Matrix(cell, shape.inputs, shape.hidden, scratchpad));
            recurrentWeights = owned.add(new Blocks.Matrix(cell, shape.hidden, shape.hidden, scratchpad));
            biasBlocks = new Blocks(cell.order(), cell.biases(), shape.hidden);
            peepholeBlocks = new Blocks(Cell.PEEPHOLES, Cell.PEEPHOLES.size(), shape.hidden);
            bias = primitives.forForward(DNNL_ARG_BIAS);
            peepholes = cell == Cell.LSTM_PEEPHOLE ? primitives.forForward(DNNL_ARG_WEIGHTS_PEEPHOLE) : null;
            forward = owned.add(primitives.forwardCall());
            memory workspace = shape.training ? primitives.forForward(DNNL_ARG_WORKSPACE) : null;
            connect(forward, workspace, primitives::forForward);
            backward = shape.training ? new Backward(primitives, workspace) : null;
        }
    }

    private Port[] states(memory.data_type type, Scratchpad scratchpad) {
        Port[] states = new Port[shape.cell.states()];
        for (int i = 0; i < states.length; i++) {
            states[i] = owned.add(Port.own(i == 0 ? type : f32, scratchpad, 1, 1, shape.lanes, shape.hidden));
        }
        return states;
    }

    /** What the forward and the backward primitive both read. */
    private void connect(Call call, memory workspace, IntFunction<memory> wanted) {
        memory packedInput = wanted.apply(DNNL_ARG_WEIGHTS_LAYER);
        memory packedRecurrent = wanted.apply(DNNL_ARG_WEIGHTS_ITER);
        packInput.add(inputWeights.packing(packedInput));
        packRecurrent.add(recurrentWeights.packing(packedRecurrent));
        call.with(DNNL_ARG_WEIGHTS_LAYER, packedInput)
                .with(DNNL_ARG_WEIGHTS_ITER, packedRecurrent)
                .with(DNNL_ARG_SRC_LAYER, input.inside())
                .with(DNNL_ARG_DST_LAYER, output.inside())
                .with(DNNL_ARG_BIAS, bias);
        for (int i = 0; i < state.length; i++) {
            call.with(STATE[i], state[i].inside()).with(LAST_STATE[i], lastState[i].inside());
        }
        if (peepholes != null) {
            call.with(DNNL_ARG_WEIGHTS_PEEPHOLE, peepholes);
        }
        if (workspace != null) {
            call.with(DNNL_ARG_WORKSPACE, workspace);
        }
    }

    public Shape shape() {
        return shape;
    }

    /** Takes over the parameters, in the layout that the primitives want; needed anew whenever they change. */
    public void pack(Parameters from) {
        inputWeights.read(from.input);
        packInput.forEach(Call::run);
        recurrentWeights.read(from.recurrent);
        packRecurrent.forEach(Call::run);
        biasBlocks.toOneDnn(from.bias, OneDnn.floats(bias));
        if (peepholes != null) {
            peepholeBlocks.toOneDnn(peepholesOf(from), OneDnn.floats(peepholes));
        }
    }

    /** They follow the recurrent weights. */
    private FloatPointer peepholesOf(Parameters parameters) {
        return parameters.recurrent.getPointer(shape.cell.weightsBetweenStates(shape.hidden));
    }

    /** @return the i-th state from which {@link #forward} starts, to be written before */
    public FloatPointer state(int i) {
        return state[i].floats();
    }

    /** @return the i-th state after the last step, written by {@link #forward} */
    public FloatPointer lastState(int i) {
        return lastState[i].floats();
    }

    /** @param x must stay as it is, like y, until {@link #backward} has been called */
    public void forward(Pointer x, Pointer y) {
        input.attach(x);
        output.attach(y);
        input.read();
        for (Port each : state) {
            each.read();
        }
        forward.run();
        output.write();
        for (Port each : lastState) {
            each.write();
        }
    }

    /** @return the gradient with respect to the i-th last state: zero at first, and what is written stays */
    public FloatPointer lastStateGradient(int i) {
        return OneDnn.floats(backward.dLastState[i]);
    }

    /** @return the gradient with respect to the i-th first state, written by {@link #backward} */
    public FloatPointer stateGradient(int i) {
        return OneDnn.floats(backward.dState[i]);
    }

    /**
     * Gradients of what the last {@link #forward} computed.
     *
     * @param dy gradient with respect to y
     * @param dx is overwritten, like the parameters' gradient
     */
    public void backward(Pointer dy, Pointer dx, Parameters gradient) {
        backward.run(dy, dx, gradient);
    }

    @Override
    public void close() {
        owned.close();
    }

    private final class Backward {
        private final memory dOutput;
        private final memory dInput;
        private final memory[] dState = new memory[shape.cell.states()];
        private final memory[] dLastState = new memory[shape.cell.states()];
        private final Map<Integer, memory> sums = new LinkedHashMap<>();
        private final Call backward;
        private final Call unpackInput;
        private final Call unpackRecurrent;

        Backward(RecurrentPrimitives primitives, memory workspace) {
            try (memory.desc in = OneDnn.plain(f32, shape.steps, shape.lanes, shape.inputs);
                    memory.desc out = OneDnn.plain(f32, shape.steps, shape.lanes, shape.hidden)) {
                dInput = owned.add(OneDnn.view(in));
                dOutput = owned.add(OneDnn.view(out));
            }
            backward = owned.add(primitives.backwardCall());
            connect(backward, workspace, primitives::forBackward);
            backward.with(DNNL_ARG_DIFF_SRC_LAYER, dInput).with(DNNL_ARG_DIFF_DST_LAYER, dOutput);
            for (int i = 0; i < dState.length; i++) {
                dState[i] = primitives.forBackward(D_STATE[i]);
                dLastState[i] = primitives.forBackward(D_LAST_STATE[i]);
                OneDnn.clear(dLastState[i]);
                backward.with(D_STATE[i], dState[i]).with(D_LAST_STATE[i], dLastState[i]);
            }
            sum(primitives, DNNL_ARG_DIFF_WEIGHTS_LAYER);
            sum(primitives, DNNL_ARG_DIFF_WEIGHTS_ITER);
            sum(primitives, DNNL_ARG_DIFF_BIAS);
            if (peepholes != null) {
                sum(primitives, DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE);
            }
            unpackInput = inputWeights.unpacking(sums.get(DNNL_ARG_DIFF_WEIGHTS_LAYER));
            unpackRecurrent = recurrentWeights.unpacking(sums.get(DNNL_ARG_DIFF_WEIGHTS_ITER));
        }

        private void sum(RecurrentPrimitives primitives, int argument) {
            sums.put(argument, primitives.forBackward(argument));
            backward.with(argument, sums.get(argument));
        }

        void run(Pointer dy, Pointer dx, Parameters gradient) {
            dOutput.set_data_handle(dy);
            dInput.set_data_handle(dx);
            sums.values().forEach(OneDnn::clear);
            backward.run();
            inputWeights.write(unpackInput, gradient.input);
            recurrentWeights.write(unpackRecurrent, gradient.recurrent);
            biasBlocks.toOurs(OneDnn.floats(sums.get(DNNL_ARG_DIFF_BIAS)), gradient.bias);
            if (peepholes != null) {
                FloatPointer sum = OneDnn.floats(sums.get(DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE));
                peepholeBlocks.toOurs(sum, peepholesOf(gradient));
            }
        }
    }
}
