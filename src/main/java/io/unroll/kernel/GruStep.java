package io.unroll.kernel;

/** {@link CellStep} of both kinds of GRU, which differ in the candidate's recurrent term. */
abstract class GruStep extends CellStep {
    private static final int BLOCKS = 3;

    final BlasMatrix candidateWeights;
    /** Arrays of all lanes, {@code [lanes, hidden]}: the candidate's recurrent term or a gradient, and h before the step. */
    final float[] term;

    final float[] hiddenBefore;
    /** Of one lane: update gate, reset gate, candidate, hidden state and its gradient. */
    final float[] u;

    final float[] r;
    final float[] n;
    final float[] h;
    final float[] dh;
    /** Of one lane: a part of {@link #term}. */
    final float[] laneTerm;

    private final BlasMatrix gateWeights;

    GruStep(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        super(shape, kernelMemory, owner);
        gateWeights = recurrentWeights.rows(0, 2 * hidden);
        candidateWeights = recurrentWeights.rows(2 * hidden, hidden);
        term = new float[lanes * hidden];
        hiddenBefore = new float[training ? lanes * hidden : 0];
        u = new float[hidden];
        r = new float[hidden];
        n = new float[hidden];
        h = new float[hidden];
        dh = new float[hidden];
        laneTerm = new float[hidden];
    }

    @Override
    void forward(int step, BlasMatrix stepGates, BlasMatrix before, float[][] state) {
        gateColumns(stepGates).multiplyByTransposed(before, gateWeights, 1);
        stepGates.get(gates);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, updateGate(lane), u, r);
            add(u, bias[0]);
            add(r, bias[1]);
            Activations.sigmoid(u);
            Activations.sigmoid(r);
            store(gates, updateGate(lane), u, r);
        }
        computeTerm(step, before, state[0]);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, updateGate(lane), u, r, n);
            load(term, lane * hidden, laneTerm);
            load(state[0], lane * hidden, h);
            add(n, bias[2]);
            add(n, laneTerm);
            Activations.tanh(n);
            newState(h, u, n);
            store(gates, candidate(lane), n);
            store(state[0], lane * hidden, h);
        }
        if (training) {
            stepGates.put(gates);
        }
    }

    /** Computes {@link #term} from the reset gates. */
    abstract void computeTerm(int step, BlasMatrix before, float[] state);

    @Override
    void backward(int step, BlasMatrix stepGates, BlasMatrix dStepGates, BlasMatrix before, float[][] dState) {
        stepGates.get(gates);
        before.get(hiddenBefore);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, updateGate(lane), u, r, n);
            load(hiddenBefore, lane * hidden, h);
            load(dState[0], lane * hidden, dh);
            stateGradients(u, n, h, dh);
            add(dBias[0], u);
            add(dBias[2], n);
            store(dGates, updateGate(lane), u);
            store(dGates, candidate(lane), n);
            store(dState[0], lane * hidden, dh);
        }
        backwardTerm(step, dStepGates, dState[0]);
        dStepGates.put(dGates);
        dHidden.put(dState[0]);
        dHidden.multiply(gateColumns(dStepGates), gateWeights, 1);
        dHidden.get(dState[0]);
    }

    /** Computes the reset gates' part of {@link #dGates}, and adds the term's part to the gradient of the state. */
    abstract void backwardTerm(int step, BlasMatrix dStepGates, float[] dState);

    @Override
    void recurrentGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to) {
        states.weightGradient(gateColumns(allDGates), to.rows(0, 2 * hidden));
        candidateWeightGradient(allDGates, states, to.rows(2 * hidden, hidden));
    }

    abstract void candidateWeightGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to);

    /** @return the columns of the update and reset gates */
    private BlasMatrix gateColumns(BlasMatrix matrix) {
        return matrix.columns(0, 2 * hidden);
    }

    final BlasMatrix candidateColumns(BlasMatrix matrix) {
        return matrix.columns(2 * hidden, hidden);
    }

    private int updateGate(int lane) {
        return lane * BLOCKS * hidden;
    }

    final int resetGate(int lane) {
        return updateGate(lane) + hidden;
    }

    final int candidate(int lane) {
        return updateGate(lane) + 2 * hidden;
    }

    private static void newState(float[] h, float[] u, float[] n) {
        for (int j = 0; j < h.length; j++) {
            h[j] = u[j] * h[j] + (1 - u[j]) * n[j];
        }
    }

    /** Replaces u and n by their gradients, and {@code dh} by the part that does not flow through the gates. */
    private static void stateGradients(float[] u, float[] n, float[] h, float[] dh) {
        for (int j = 0; j < h.length; j++) {
            float gradient = dh[j];
            float update = u[j];
            float candidate = n[j];
            dh[j] = gradient * update;
            u[j] = gradient * (h[j] - candidate) * update * (1 - update);
            n[j] = gradient * (1 - update) * (1 - candidate * candidate);
        }
    }
}
