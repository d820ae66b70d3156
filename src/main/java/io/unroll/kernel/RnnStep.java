package io.unroll.kernel;

/** {@link CellStep} of {@link CellType#RNN_TANH} and {@link CellType#RNN_RELU}. */
final class RnnStep extends CellStep {
    private final boolean relu;
    private final float[] h;
    private final float[] dh;

    RnnStep(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        super(shape, kernelMemory, owner);
        relu = shape.cell() == CellType.RNN_RELU;
        h = new float[hidden];
        dh = new float[hidden];
    }

    @Override
    void forward(int step, BlasMatrix stepGates, BlasMatrix before, float[][] state) {
        stepGates.multiplyByTransposed(before, recurrentWeights, 1);
        stepGates.get(gates);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, lane * hidden, h);
            add(h, bias[0]);
            if (relu) {
                Activations.relu(h);
            } else {
                Activations.tanh(h);
            }
            store(state[0], lane * hidden, h);
        }
        if (training) {
            stepGates.put(state[0]);
        }
    }

    @Override
    void backward(int step, BlasMatrix stepGates, BlasMatrix dStepGates, BlasMatrix before, float[][] dState) {
        stepGates.get(gates);
        for (int lane = 0; lane < lanes; lane++) {
            load(gates, lane * hidden, h);
            load(dState[0], lane * hidden, dh);
            if (relu) {
                multiplyByReluSlope(dh, h);
            } else {
                multiplyByTanhSlope(dh, h);
            }
            add(dBias[0], dh);
            store(dGates, lane * hidden, dh);
        }
        dStepGates.put(dGates);
        dHidden.multiply(dStepGates, recurrentWeights, 0);
        dHidden.get(dState[0]);
    }

    private static void multiplyByReluSlope(float[] gradient, float[] relu) {
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = relu[i] <= 0 ? 0 : gradient[i];
        }
    }

    @Override
    void recurrentGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to) {
        states.weightGradient(allDGates, to);
    }
}
