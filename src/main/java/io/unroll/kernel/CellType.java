package io.unroll.kernel;

import io.unroll.config.Settings;
import java.util.List;

/**
 * The equations of a recurrent layer with input x, hidden state h and, for an LSTM, cell state c. The parameters
 * {@code W [blocks, hidden, inputs]}, {@code R [blocks, hidden, hidden]} and {@code b [biases, hidden]} are row-major.
 * A block belongs to a gate or to the candidate; each cell lists its blocks in Deeplearning4j's order.
 */
public enum CellType {
    /** h' = tanh(W x + R h + b), Elman 1990. */
    RNN_TANH(1, 1, 1),
    /** h' = max(0, W x + R h + b). */
    RNN_RELU(1, 1, 1),
    /**
     * Candidate g, forget gate f, output gate o, input gate i: c' = f c + i g, h' = o tanh(c'), Gers et al. 2000.
     */
    LSTM(4, 4, 2),
    /**
     * LSTM with peepholes: f and i also read c, and o reads c', Gers et al. 2002. The peephole weights
     * {@code [3, hidden]}, for f, o and i, follow R.
     */
    LSTM_PEEPHOLE(4, 4, 2),
    /** Update gate u, reset gate r, candidate n = tanh(Wn x + Rn (r h) + bn): h' = u h + (1 - u) n, Cho et al. 2014. */
    GRU(3, 3, 1),
    /** GRU with n = tanh(Wn x + bn + r (Rn h + bm)), as in cuDNN and PyTorch; bm is the fourth bias. */
    GRU_RESET_AFTER(3, 4, 1);

    /** For each peephole in oneDNN's order (i, f, o), its index in Deeplearning4j's order (f, o, i). */
    static final List<Integer> PEEPHOLE_ORDER = List.of(2, 0, 1);

    private final int blocks;
    private final int biases;
    private final int states;

    CellType(int blocks, int biases, int states) {
        this.blocks = blocks;
        this.biases = biases;
        this.states = states;
    }

    /** @return the cell of a model's recurrent layers */
    public static CellType of(Settings.Model model) {
        return switch (model.cell()) {
            case LSTM -> model.peepholes() ? LSTM_PEEPHOLE : LSTM;
            case GRU -> model.resetAfter() ? GRU_RESET_AFTER : GRU;
            case RNN -> model.activation() == Settings.Activation.RELU ? RNN_RELU : RNN_TANH;
        };
    }

    public int blocks() {
        return blocks;
    }

    public int biases() {
        return biases;
    }

    /** @return number of state arrays {@code [lanes, hidden]}: 2 for an LSTM (hidden and cell state), otherwise 1 */
    public int states() {
        return states;
    }

    /** @return number of weights in {@code W} */
    public long inputWeightCount(long inputs, long hidden) {
        return blocks * hidden * inputs;
    }

    /** @return number of weights in {@code R}, without peepholes */
    public long recurrentWeightCount(long hidden) {
        return blocks * hidden * hidden;
    }

    /** @return number of peephole weights, which follow {@code R} */
    public long peepholeCount(long hidden) {
        return this == LSTM_PEEPHOLE ? PEEPHOLE_ORDER.size() * hidden : 0;
    }

    /** @return the index of {@code b} among a layer's parameters */
    public long biasStart(long inputs, long hidden) {
        return inputWeightCount(inputs, hidden) + recurrentWeightCount(hidden) + peepholeCount(hidden);
    }

    /** @return number of parameters of a layer: {@code W}, {@code R}, peepholes and {@code b}, one after the other */
    public long parameterCount(long inputs, long hidden) {
        return biasStart(inputs, hidden) + biases * hidden;
    }

    /** @return for each block, in oneDNN's order, its index in Deeplearning4j's order */
    List<Integer> oneDnnOrder() {
        return this == LSTM || this == LSTM_PEEPHOLE ? List.of(3, 1, 0, 2) : List.of(0, 1, 2, 3);
    }
}
