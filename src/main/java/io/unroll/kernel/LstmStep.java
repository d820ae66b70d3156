package io.unroll.kernel;

/** {@link CellStep} of {@link CellType#LSTM} and {@link CellType#LSTM_PEEPHOLE}. */
final class LstmStep extends CellStep {
    private static final int FORGET_PEEPHOLE = 0;
    private static final int OUTPUT_PEEPHOLE = 1;
    private static final int INPUT_PEEPHOLE = 2;

    private final boolean hasPeepholes;
    private final float[][] peepholes;
    private final float[][] dPeepholes;
    /** In training: the cell state before the first step and after each step, {@code [(steps + 1) * lanes, hidden]}. */
    private final BlasMatrix cells;
    /** Cell state before and after a step, {@code [lanes, hidden]}. */
    private final float[] cellBefore;

    private final float[] cellAfter;
    /** Of one lane: the blocks, the cell state before and after the step, and the hidden state or its gradient. */
    private final float[] g;

    private final float[] f;
    private final float[] o;
    private final float[] i;
    private final float[] c;
    private final float[] cBefore;
    private final float[] h;
    private final float[] tanh;
    private final float[] dc;

    LstmStep(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        super(shape, kernelMemory, owner);
        hasPeepholes = shape.cell() == CellType.LSTM_PEEPHOLE;
        int peepholeRows = hasPeepholes ? CellType.PEEPHOLE_ORDER.size() : 0;
        peepholes = new float[peepholeRows][hidden];
        dPeepholes = new float[peepholeRows][hidden];
        cells = training ? BlasMatrix.allocate((shape.steps() + 1) * lanes, hidden, kernelMemory, owner) : null;
        cellBefore = new float[training ? lanes * hidden : 0];
        cellAfter = new float[training ? lanes * hidden : 0];
        g = new float[hidden];
        f = new float[hidden];
        o = new float[hidden];
        i = new float[hidden];
        c = new float[hidden];
        cBefore = new float[hidden];
        h = new float[hidden];
        tanh = new float[hidden];
        dc = new float[hidden];
    }

    @Override
    void pack(RecurrentKernel.Parameters from) {
        super.pack(from);
        getRows(from.recurrent().getPointer((long) recurrentWeights.rows() * hidden), peepholes);
    }

    @Override
    void forward(int step, BlasMatrix stepGates, BlasMatrix before, float[][] state) {
        if (training && step == 0) {
            cellsBefore(0).put(state[1]);
        }
        stepGates.multiplyByTransposed(before, recurrentWeights, 1);
        stepGates.get(gates);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, lane * 4 * hidden, g, f, o, i);
            load(state[1], lane * hidden, c);
            forwardLane();
            store(gates, lane * 4 * hidden, g, f, o, i);
            store(state[0], lane * hidden, h);
            store(state[1], lane * hidden, c);
        }
        if (training) {
            stepGates.put(gates);
            cellsBefore(step + 1).put(state[1]);
        }
    }

    private BlasMatrix cellsBefore(int step) {
        return cells.rows(step * lanes, lanes);
    }

    private void forwardLane() {
        add(g, bias[0]);
        add(f, bias[1]);
        add(o, bias[2]);
        add(i, bias[3]);
        if (hasPeepholes) {
            addProduct(f, peepholes[FORGET_PEEPHOLE], c);
            addProduct(i, peepholes[INPUT_PEEPHOLE], c);
        }
        Activations.tanh(g);
        Activations.sigmoid(f);
        Activations.sigmoid(i);
        newCellState(c, f, i, g);
        if (hasPeepholes) {
            addProduct(o, peepholes[OUTPUT_PEEPHOLE], c);
        }
        Activations.sigmoid(o);
        load(c, 0, h);
        Activations.tanh(h);
        multiply(h, o);
    }

    private static void newCellState(float[] c, float[] f, float[] i, float[] g) {
        for (int j = 0; j < c.length; j++) {
            c[j] = f[j] * c[j] + i[j] * g[j];
        }
    }

    @Override
    void startBackward() {
        super.startBackward();
        clear(dPeepholes);
    }

    @Override
    void backward(int step, BlasMatrix stepGates, BlasMatrix dStepGates, BlasMatrix before, float[][] dState) {
        stepGates.get(gates);
        cellsBefore(step).get(cellBefore);
        cellsBefore(step + 1).get(cellAfter);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, lane * 4 * hidden, g, f, o, i);
            load(cellBefore, lane * hidden, cBefore);
            load(cellAfter, lane * hidden, c);
            load(dState[0], lane * hidden, h);
            load(dState[1], lane * hidden, dc);
            backwardLane();
            store(dGates, lane * 4 * hidden, g, f, o, i);
            store(dState[1], lane * hidden, dc);
        }
        dStepGates.put(dGates);
        dHidden.multiply(dStepGates, recurrentWeights, 0);
        dHidden.get(dState[0]);
    }

    /** Replaces the blocks and {@code dc} by their gradients before the step; {@code h} is the hidden state's gradient. */
    private void backwardLane() {
        load(c, 0, tanh);
        Activations.tanh(tanh);
        outputGradient(o, dc, h, tanh);
        if (hasPeepholes) {
            addProduct(dPeepholes[OUTPUT_PEEPHOLE], o, c);
            addProduct(dc, o, peepholes[OUTPUT_PEEPHOLE]);
        }
        gateGradients(g, f, i, dc, cBefore);
        if (hasPeepholes) {
            addProduct(dPeepholes[FORGET_PEEPHOLE], f, cBefore);
            addProduct(dPeepholes[INPUT_PEEPHOLE], i, cBefore);
            addProduct(dc, f, peepholes[FORGET_PEEPHOLE]);
            addProduct(dc, i, peepholes[INPUT_PEEPHOLE]);
        }
        add(dBias[0], g);
        add(dBias[1], f);
        add(dBias[2], o);
        add(dBias[3], i);
    }

    /** Replaces o by its gradient, and adds to that of the cell state after the step. */
    private static void outputGradient(float[] o, float[] dc, float[] dh, float[] tanh) {
        for (int j = 0; j < o.length; j++) {
            dc[j] += dh[j] * o[j] * (1 - tanh[j] * tanh[j]);
            o[j] = dh[j] * tanh[j] * o[j] * (1 - o[j]);
        }
    }

    /** Replaces blocks by their gradients, and the gradient of the cell state by that before the step. */
    private static void gateGradients(float[] g, float[] f, float[] i, float[] dc, float[] cBefore) {
        for (int j = 0; j < dc.length; j++) {
            float gradient = dc[j];
            float candidate = g[j];
            dc[j] = gradient * f[j];
            g[j] = gradient * i[j] * (1 - candidate * candidate);
            f[j] = gradient * cBefore[j] * f[j] * (1 - f[j]);
            i[j] = gradient * candidate * i[j] * (1 - i[j]);
        }
    }

    @Override
    void recurrentGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to) {
        states.weightGradient(allDGates, to);
    }

    @Override
    void gradient(BlasMatrix allDGates, HiddenStates states, RecurrentKernel.Parameters to) {
        super.gradient(allDGates, states, to);
        putRows(dPeepholes, to.recurrent().getPointer((long) recurrentWeights.rows() * hidden));
    }
}
