package io.unroll.kernel;

/**
 * The hidden states of a layer: the initial one, {@code [lanes, hidden]}, and the outputs of all steps,
 * {@code [steps * lanes, hidden]}.
 */
record HiddenStates(BlasMatrix initial, BlasMatrix outputs) {
    /** @return the state before a step */
    BlasMatrix before(int step) {
        int lanes = initial.rows();
        return step == 0 ? initial : outputs.rows((step - 1) * lanes, lanes);
    }

    /**
     * Computes the gradient of weights R.
     *
     * @param dProducts gradient with respect to the products {@code R h} of all steps
     * @param to overwritten
     */
    void weightGradient(BlasMatrix dProducts, BlasMatrix to) {
        int lanes = initial.rows();
        to.multiplyTransposed(dProducts.rows(0, lanes), initial, 0);
        int later = outputs.rows() - lanes;
        if (later > 0) {
            to.multiplyTransposed(dProducts.rows(lanes, later), outputs.rows(0, later), 1);
        }
    }
}
