package io.unroll.kernel;

/** {@link CellStep} of {@link CellType#GRU_RESET_AFTER}, with the term r (Rn h + bm). */
final class GruResetAfterStep extends GruStep {
    /** Rn h + bm: in training that of all steps, otherwise of one step. */
    private final BlasMatrix products;
    /** Gradient with respect to {@link #products}; null in inference. */
    private final BlasMatrix dProducts;

    GruResetAfterStep(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        super(shape, kernelMemory, owner);
        int rows = (training ? shape.steps() : 1) * lanes;
        products = BlasMatrix.allocate(rows, hidden, kernelMemory, owner);
        dProducts = training ? BlasMatrix.allocate(rows, hidden, kernelMemory, owner) : null;
    }

    @Override
    void computeTerm(int step, BlasMatrix before, float[] state) {
        BlasMatrix product = products.rows(training ? step * lanes : 0, lanes);
        product.multiplyByTransposed(before, candidateWeights, 0);
        product.get(term);
        for (int lane = 0; lane < lanes; lane++) {
            load(term, lane * hidden, laneTerm);
            add(laneTerm, bias[3]);
            store(term, lane * hidden, laneTerm);
        }
        product.put(term);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, resetGate(lane), r);
            load(term, lane * hidden, laneTerm);
            multiply(laneTerm, r);
            store(term, lane * hidden, laneTerm);
        }
    }

    @Override
    void backwardTerm(int step, BlasMatrix dStepGates, float[] dState) {
        products.rows(step * lanes, lanes).get(term);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, resetGate(lane), r);
            load(dGates, candidate(lane), n);
            load(term, lane * hidden, laneTerm);
            multiply(laneTerm, n);
            multiplyBySigmoidSlope(laneTerm, r);
            multiply(n, r);
            add(dBias[1], laneTerm);
            add(dBias[3], n);
            store(dGates, resetGate(lane), laneTerm);
            store(term, lane * hidden, n);
        }
        BlasMatrix dProduct = dProducts.rows(step * lanes, lanes);
        dProduct.put(term);
        dHidden.multiply(dProduct, candidateWeights, 0);
        dHidden.get(term);
        add(dState, term);
    }

    @Override
    void candidateWeightGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to) {
        states.weightGradient(dProducts, to);
    }
}
