package io.unroll.kernel;

/** {@link CellStep} of {@link CellType#GRU}, with the term Rn (r h). */
final class GruResetBeforeStep extends GruStep {
    /** The products r h: in training those of all steps, otherwise of one step. */
    private final BlasMatrix resetStates;

    private final BlasMatrix product;

    GruResetBeforeStep(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        super(shape, kernelMemory, owner);
        resetStates = BlasMatrix.allocate((training ? shape.steps() : 1) * lanes, hidden, kernelMemory, owner);
        product = BlasMatrix.allocate(lanes, hidden, kernelMemory, owner);
    }

    @Override
    void computeTerm(int step, BlasMatrix before, float[] state) {
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, resetGate(lane), r);
            load(state, lane * hidden, h);
            multiply(h, r);
            store(term, lane * hidden, h);
        }
        BlasMatrix resetState = resetStates.rows(training ? step * lanes : 0, lanes);
        resetState.put(term);
        product.multiplyByTransposed(resetState, candidateWeights, 0);
        product.get(term);
    }

    @Override
    void backwardTerm(int step, BlasMatrix dStepGates, float[] dState) {
        dStepGates.put(dGates);
        product.multiply(candidateColumns(dStepGates), candidateWeights, 0);
        product.get(term);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, resetGate(lane), r);
            load(hiddenBefore, lane * hidden, h);
            load(term, lane * hidden, laneTerm);
            load(dState, lane * hidden, dh);
            addProduct(dh, laneTerm, r);
            multiply(laneTerm, h);
            multiplyBySigmoidSlope(laneTerm, r);
            add(dBias[1], laneTerm);
            store(dGates, resetGate(lane), laneTerm);
            store(dState, lane * hidden, dh);
        }
    }

    @Override
    void candidateWeightGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to) {
        to.multiplyTransposed(candidateColumns(allDGates), resetStates, 0);
    }
}
