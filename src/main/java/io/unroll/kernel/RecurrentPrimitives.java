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
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.rnn_primitive_desc_base;
import org.bytedeco.dnnl.vanilla_rnn_backward;
import org.bytedeco.dnnl.vanilla_rnn_forward;

/** oneDNN's primitives of one cell and shape: the same arguments, under four names. */
final class RecurrentPrimitives implements AutoCloseable {
    private static final rnn_direction DIRECTION = rnn_direction.unidirectional_left2right;

    private final engine processor = OneDnn.engine();
    private final Owned owned = new Owned();
    private final Scratchpad scratchpad;
    private final Owned arrayOwner;
    private final Cell cell;
    private final primitive_attr attributes = owned.add(Call.attributes());
    private final memory.desc none = owned.add(new memory.desc());
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

    /** @param arrayOwner of what {@link #forForward} and {@link #forBackward} give */
    RecurrentPrimitives(RecurrentKernel.Shape shape, memory.data_type type, Scratchpad scratchpad, Owned arrayOwner) {
        this.scratchpad = scratchpad;
        this.arrayOwner = arrayOwner;
        this.cell = shape.cell();
        long inputs = shape.inputs();
        long hidden = shape.hidden();
        int steps = shape.steps();
        int lanes = shape.lanes();
        boolean training = shape.training();
        input = owned.add(OneDnn.plain(type, steps, lanes, inputs));
        output = owned.add(OneDnn.plain(type, steps, lanes, hidden));
        hiddenState = owned.add(OneDnn.plain(type, 1, 1, lanes, hidden));
        cellState = owned.add(OneDnn.plain(f32, 1, 1, lanes, hidden));
        inputWeights = owned.add(OneDnn.any(type, 1, 1, inputs, cell.blocks(), hidden));
        recurrentWeights = owned.add(OneDnn.any(type, 1, 1, hidden, cell.blocks(), hidden));
        peepholes = cell == Cell.LSTM_PEEPHOLE ? owned.add(OneDnn.plain(f32, 1, 1, 3, hidden)) : none;
        bias = owned.add(OneDnn.plain(f32, 1, 1, cell.biases(), hidden));
        try {
            forward = owned.add(forward(training ? prop_kind.forward_training : prop_kind.forward_inference));
            backward = training ? owned.add(backward(type, inputs, hidden, steps, lanes)) : null;
        } catch (RuntimeException e) {
            throw new UnrollException(
                    "oneDNN has no kernel for " + shape + " on this processor: set model.precision = float32.", e);
        }
    }

    private rnn_primitive_desc_base forward(prop_kind kind) {
        return switch (cell) {
            case RNN_TANH, RNN_RELU -> new vanilla_rnn_forward.primitive_desc(
                    processor,
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
                    processor,
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
                    processor,
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
                    processor,
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
        memory.desc dInput = owned.add(OneDnn.plain(f32, steps, lanes, inputs));
        memory.desc dOutput = owned.add(OneDnn.plain(f32, steps, lanes, hidden));
        memory.desc dState = cellState;
        memory.desc weights = inputWeights;
        memory.desc recurrent = recurrentWeights;
        if (type == bf16 && plainIsFaster(hidden)) {
            weights = owned.add(transposedBlocks(type, cell.blocks(), inputs, hidden));
            recurrent = owned.add(transposedBlocks(type, cell.blocks(), hidden, hidden));
        }
        memory.desc dWeights = owned.add(OneDnn.any(f32, 1, 1, inputs, cell.blocks(), hidden));
        memory.desc dRecurrent = owned.add(OneDnn.any(f32, 1, 1, hidden, cell.blocks(), hidden));
        return switch (cell) {
            case RNN_TANH, RNN_RELU -> new vanilla_rnn_backward.primitive_desc(
                    processor,
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
                    processor,
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
                    processor,
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
                    processor,
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
     * In bfloat16 oneDNN's blocked kernels add to the weights' gradient in every step. Once an LSTM's outgrows the
     * cache, that takes longer than its kernels for plain weights: 256 units 47 against 64 ms, 384 units 134 against
     * 121 (64 lanes x 64 steps, one core of an AMD EPYC, Zen 4). Other cells gain nothing.
     */
    private boolean plainIsFaster(long hidden) {
        return cell.blocks() == Cell.LSTM.blocks() && hidden > 256;
    }

    private algorithm activation() {
        return cell == Cell.RNN_RELU ? algorithm.eltwise_relu : algorithm.eltwise_tanh;
    }

    /** @return the layout of {@code [blocks, hidden, inputs]} row by row, as oneDNN names its dimensions */
    static memory.desc transposedBlocks(memory.data_type type, long blocks, long inputs, long hidden) {
        long all = blocks * hidden * inputs;
        return new memory.desc(
                new long[] {1, 1, inputs, blocks, hidden}, type, new long[] {all, all, 1, hidden * inputs, inputs});
    }

    Call forwardCall() {
        primitive call =
                switch (cell) {
                    case RNN_TANH, RNN_RELU -> new vanilla_rnn_forward((vanilla_rnn_forward.primitive_desc) forward);
                    case LSTM, LSTM_PEEPHOLE -> new lstm_forward((lstm_forward.primitive_desc) forward);
                    case GRU -> new gru_forward((gru_forward.primitive_desc) forward);
                    case GRU_RESET_AFTER -> new lbr_gru_forward((lbr_gru_forward.primitive_desc) forward);
                };
        return new Call(forward, call, scratchpad);
    }

    Call backwardCall() {
        primitive call =
                switch (cell) {
                    case RNN_TANH, RNN_RELU -> new vanilla_rnn_backward((vanilla_rnn_backward.primitive_desc) backward);
                    case LSTM, LSTM_PEEPHOLE -> new lstm_backward((lstm_backward.primitive_desc) backward);
                    case GRU -> new gru_backward((gru_backward.primitive_desc) backward);
                    case GRU_RESET_AFTER -> new lbr_gru_backward((lbr_gru_backward.primitive_desc) backward);
                };
        return new Call(backward, call, scratchpad);
    }

    /** @return memory as the forward primitive wants this argument */
    memory forForward(int argument) {
        return allocated(forward, argument);
    }

    /** @return memory as the backward primitive wants this argument */
    memory forBackward(int argument) {
        return allocated(backward, argument);
    }

    private memory allocated(rnn_primitive_desc_base description, int argument) {
        try (memory.desc layout = description.query_md(query.exec_arg_md, argument)) {
            return scratchpad.array(layout, arrayOwner);
        }
    }

    @Override
    public void close() {
        owned.close();
    }
}
