package io.unroll.kernel;

import java.util.List;

/**
 * The equations of a recurrent layer, on input x, hidden state h and, for an LSTM, cell state c. Parameters are
 * {@code W [blocks, hidden, inputs]}, {@code R [blocks, hidden, hidden]} and {@code b [biases, hidden]}, all row by
 * row, the blocks in the order that is written here, which is Deeplearning4j's.
 */
public enum Cell {
    /** h' = tanh(W x + R h + b), Elman 1990. */
    RNN_TANH(1, 1, 1),
    /** h' = max(0, W x + R h + b). */
    RNN_RELU(1, 1, 1),
    /**
     * Candidate g, forget gate f, output gate o, input gate i: c' = f c + i g, h' = o tanh(c'), Gers et al. 2000.
     */
    LSTM(4, 4, 2),
    /** The LSTM, whose f and i see c, and o sees c', Gers et al. 2002; R is followed by their {@code [3, hidden]}. */
    LSTM_PEEPHOLE(4, 4, 2),
    /** Update gate u, reset gate r, candidate n = tanh(Wn x + Rn (r h) + bn): h' = u h + (1 - u) n, Cho et al. 2014. */
    GRU(3, 3, 1),
    /** The same with n = tanh(Wn x + bn + r (Rn h + bm)), as in cuDNN and PyTorch; bm is the fourth bias. */
    GRU_RESET_AFTER(3, 4, 1);

    /** For each peephole of oneDNN (input, forget, output) its place among Deeplearning4j's. */
    static final List<Integer> PEEPHOLES = List.of(2, 0, 1);

    private final int blocks;
    private final int biases;
    private final int states;

    Cell(int blocks, int biases, int states) {
        this.blocks = blocks;
        this.biases = biases;
        this.states = states;
    }

    public int blocks() {
        return blocks;
    }

    public int biases() {
        return biases;
    }

    /** @return arrays of {@code [lanes, hidden]} that are carried: the hidden state and, for an LSTM, the cell state */
    public int states() {
        return states;
    }

    /** @return numbers in {@code R} */
    public long weightsBetweenStates(long hidden) {
        return blocks * hidden * hidden;
    }

    /** @return for each block of oneDNN its place among ours */
    List<Integer> order() {
        return this == LSTM || this == LSTM_PEEPHOLE ? List.of(3, 1, 0, 2) : List.of(0, 1, 2, 3);
    }
}
