package io.unroll.kernel;

import static org.bytedeco.dnnl.memory.data_type.bf16;
import static org.bytedeco.dnnl.memory.data_type.f32;

import io.unroll.config.UnrollException;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.global.dnnl.query;
import org.bytedeco.dnnl.global.dnnl.rnn_direction;
import org.bytedeco.dnnl.gru_backward;
import org.bytedeco.dnnl.gru_forward;
import org.bytedeco.dnnl.lbr_gru_backward;
import org.bytedeco.dnnl.lbr_gru_forward;
import org.bytedeco.dnnl.lstm_backward;
import org.bytedeco.dnnl.lstm_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.rnn_primitive_desc_base;
import org.bytedeco.dnnl.vanilla_rnn_backward;
import org.bytedeco.dnnl.vanilla_rnn_forward;

/** Creates oneDNN's primitives for a cell type and shape; oneDNN has four classes of them, with the same arguments. */
final class RecurrentPrimitives implements AutoCloseable {
    private static final rnn_direction DIRECTION = rnn_direction.unidirectional_left2right;

    private final engine cpu = OneDnn.engine();
    private final ResourceScope resources = new ResourceScope();
    private final KernelMemory kernelMemory;
    private final ResourceScope arrayOwner;
    private final CellType cell;
    private final primitive_attr attributes = resources.add(BoundPrimitive.attributes());
    private final memory.desc none = resources.add(new memory.desc());
    private final memory.desc input;
    private final memory.desc output;
    private final memory.desc hiddenState;
    private final memory.desc cellState;
    private final memory.desc inputWeights;
    private final memory.desc recurrentWeights;
    private final memory.desc peepholes;
    private final memory.desc bias;
    private final rnn_primitive_desc_base forward;
    private final rnn_primitive_desc_base backward;

    /** @param arrayOwner owner of the arrays of {@link #forwardMemory} and {@link #backwardMemory} */
    RecurrentPrimitives(
            RecurrentKernel.Shape shape, memory.data_type type, KernelMemory kernelMemory, ResourceScope arrayOwner) {
        this.kernelMemory = kernelMemory;
        this.arrayOwner = arrayOwner;
        this.cell = shape.cell();
        long inputs = shape.inputs();
        long hidden = shape.hidden();
        int steps = shape.steps();
        int lanes = shape.lanes();
        boolean training = shape.training();
        input = resources.add(OneDnn.plain(type, steps, lanes, inputs));
        output = resources.add(OneDnn.plain(type, steps, lanes, hidden));
        hiddenState = resources.add(OneDnn.plain(type, 1, 1, lanes, hidden));
        cellState = resources.add(OneDnn.plain(f32, 1, 1, lanes, hidden));
        inputWeights = resources.add(OneDnn.any(type, 1, 1, inputs, cell.blocks(), hidden));
        recurrentWeights = resources.add(OneDnn.any(type, 1, 1, hidden, cell.blocks(), hidden));
        peepholes = cell == CellType.LSTM_PEEPHOLE ? resources.add(OneDnn.plain(f32, 1, 1, 3, hidden)) : none;
        bias = resources.add(OneDnn.plain(f32, 1, 1, cell.biases(), hidden));
        try {
            forward = resources.add(forward(training ? prop_kind.forward_training : prop_kind.forward_inference));
            backward = training ? resources.add(backward(type, inputs, hidden, steps, lanes)) : null;
        } catch (RuntimeException e) {
            throw new UnrollException(
                    "oneDNN has no kernel for " + shape + " on this processor: set model.precision = float32.", e);
        }
    }

    private rnn_primitive_desc_base forward(prop_kind kind) {
        return switch (cell) {
            case RNN_TANH, RNN_RELU -> new vanilla_rnn_forward.primitive_desc(
                    cpu,
                    kind,
                    activation(),
                    DIRECTION,
                    input,
                    hiddenState,
                    inputWeights,
                    recurrentWeights,
                    bias,
                    output,
                    hiddenState,
                    0,
                    attributes,
                    false);
            case LSTM, LSTM_PEEPHOLE -> new lstm_forward.primitive_desc(
                    cpu,
                    kind,
                    DIRECTION,
                    input,
                    hiddenState,
                    cellState,
                    inputWeights,
                    recurrentWeights,
                    peepholes,
                    none,
                    bias,
                    output,
                    hiddenState,
                    cellState,
                    attributes,
                    false);
            case GRU -> new gru_forward.primitive_desc(
                    cpu,
                    kind,
                    DIRECTION,
                    input,
                    hiddenState,
                    inputWeights,
                    recurrentWeights,
                    bias,
                    output,
                    hiddenState,
                    attributes,
                    false);
            case GRU_RESET_AFTER -> new lbr_gru_forward.primitive_desc(
                    cpu,
                    kind,
                    DIRECTION,
                    input,
                    hiddenState,
                    inputWeights,
                    recurrentWeights,
                    bias,
                    output,
                    hiddenState,
                    attributes,
                    false);
        };
    }

    private rnn_primitive_desc_base backward(memory.data_type type, long inputs, long hidden, int steps, int lanes) {
        prop_kind kind = prop_kind.backward;
        memory.desc dInput = resources.add(OneDnn.plain(f32, steps, lanes, inputs));
        memory.desc dOutput = resources.add(OneDnn.plain(f32, steps, lanes, hidden));
        memory.desc dState = cellState;
        memory.desc weights = inputWeights;
        memory.desc recurrent = recurrentWeights;
        if (type == bf16 && plainIsFaster(hidden)) {
            weights = resources.add(transposedBlocks(type, cell.blocks(), inputs, hidden));
            recurrent = resources.add(transposedBlocks(type, cell.blocks(), hidden, hidden));
        }
        memory.desc dWeights = resources.add(OneDnn.any(f32, 1, 1, inputs, cell.blocks(), hidden));
        memory.desc dRecurrent = resources.add(OneDnn.any(f32, 1, 1, hidden, cell.blocks(), hidden));
        return switch (cell) {
            case RNN_TANH, RNN_RELU -> new vanilla_rnn_backward.primitive_desc(
                    cpu,
                    kind,
                    activation(),
                    DIRECTION,
                    input,
                    hiddenState,
                    weights,
                    recurrent,
                    bias,
                    output,
                    hiddenState,
                    dInput,
                    dState,
                    dWeights,
                    dRecurrent,
                    bias,
                    dOutput,
                    dState,
                    0,
                    (vanilla_rnn_forward.primitive_desc) forward,
                    attributes,
                    false);
            case LSTM, LSTM_PEEPHOLE -> new lstm_backward.primitive_desc(
                    cpu,
                    kind,
                    DIRECTION,
                    input,
                    hiddenState,
                    cellState,
                    weights,
                    recurrent,
                    peepholes,
                    none,
                    bias,
                    output,
                    hiddenState,
                    cellState,
                    dInput,
                    dState,
                    dState,
                    dWeights,
                    dRecurrent,
                    peepholes,
                    none,
                    bias,
                    dOutput,
                    dState,
                    dState,
                    (lstm_forward.primitive_desc) forward,
                    attributes,
                    false);
            case GRU -> new gru_backward.primitive_desc(
                    cpu,
                    kind,
                    DIRECTION,
                    input,
                    hiddenState,
                    weights,
                    recurrent,
                    bias,
                    output,
                    hiddenState,
                    dInput,
                    dState,
                    dWeights,
                    dRecurrent,
                    bias,
                    dOutput,
                    dState,
                    (gru_forward.primitive_desc) forward,
                    attributes,
                    false);
            case GRU_RESET_AFTER -> new lbr_gru_backward.primitive_desc(
                    cpu,
                    kind,
                    DIRECTION,
                    input,
                    hiddenState,
                    weights,
                    recurrent,
                    bias,
                    output,
                    hiddenState,
                    dInput,
                    dState,
                    dWeights,
                    dRecurrent,
                    bias,
                    dOutput,
                    dState,
                    (lbr_gru_forward.primitive_desc) forward,
                    attributes,
                    false);
        };
    }

    /**
     * In bfloat16, oneDNN's kernels for blocked weights add to the weights' gradient in every step. When that of an
     * LSTM no longer fits in the cache, they are slower than its kernels for plain weights: 47 against 64 ms with 256
     * units, but 134 against 121 ms with 384 (64 lanes x 64 steps, one core of an AMD EPYC, Zen 4). Other cells gain
     * nothing.
     */
    private boolean plainIsFaster(long hidden) {
        return cell.blocks() == CellType.LSTM.blocks() && hidden > 256;
    }

    private algorithm activation() {
        return cell == CellType.RNN_RELU ? algorithm.eltwise_relu : algorithm.eltwise_tanh;
    }

    /** @return the layout of a row-major {@code [blocks, hidden, inputs]}, in the order of oneDNN's dimensions */
    static memory.desc transposedBlocks(memory.data_type type, long blocks, long inputs, long hidden) {
        long total = blocks * hidden * inputs;
        return new memory.desc(
                new long[] {1, 1, inputs, blocks, hidden}, type, new long[] {total, total, 1, hidden * inputs, inputs});
    }

    BoundPrimitive forwardPrimitive() {
        return new BoundPrimitive(forward, kernelMemory);
    }

    BoundPrimitive backwardPrimitive() {
        return new BoundPrimitive(backward, kernelMemory);
    }

    /** @return new memory in the layout that the forward primitive chose for the argument */
    memory forwardMemory(int argument) {
        return allocate(forward, argument);
    }

    /** @return new memory in the layout that the backward primitive chose for the argument */
    memory backwardMemory(int argument) {
        return allocate(backward, argument);
    }

    private memory allocate(rnn_primitive_desc_base description, int argument) {
        try (memory.desc layout = description.query_md(query.exec_arg_md, argument)) {
            return kernelMemory.array(layout, arrayOwner);
        }
    }

    @Override
    public void close() {
        resources.close();
    }
}
