package io.unroll.kernel;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Computes one step of a cell, forward and backward, except the products of W: the equations of {@link CellType} as
 * loops over the lanes. Each loop reads and writes arrays of one block of one lane, all at the same index, because the
 * JVM compiles only such loops to vector instructions.
 */
abstract class CellStep {
    final int lanes;
    final int hidden;
    final boolean training;
    /** {@code R [blocks * hidden, hidden]}. */
    final BlasMatrix recurrentWeights;
    /** {@code [biases][hidden]}. */
    final float[][] bias;

    final float[][] dBias;
    /** The gates of one step, {@code [lanes, blocks * hidden]}, and their gradient. */
    final float[] gates;

    final float[] dGates;
    /** Gradient with respect to the hidden state, {@code [lanes, hidden]}. */
    final BlasMatrix dHidden;

    CellStep(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        CellType cell = shape.cell();
        lanes = shape.lanes();
        hidden = shape.hidden();
        training = shape.training();
        recurrentWeights = BlasMatrix.allocate(cell.blocks() * hidden, hidden, kernelMemory, owner);
        bias = new float[cell.biases()][hidden];
        dBias = new float[cell.biases()][hidden];
        gates = new float[lanes * cell.blocks() * hidden];
        dGates = new float[training ? gates.length : 0];
        dHidden = BlasMatrix.allocate(lanes, hidden, kernelMemory, owner);
    }

    static CellStep of(RecurrentKernel.Shape shape, KernelMemory kernelMemory, ResourceScope owner) {
        return switch (shape.cell()) {
            case RNN_TANH, RNN_RELU -> new RnnStep(shape, kernelMemory, owner);
            case LSTM, LSTM_PEEPHOLE -> new LstmStep(shape, kernelMemory, owner);
            case GRU -> new GruResetBeforeStep(shape, kernelMemory, owner);
            case GRU_RESET_AFTER -> new GruResetAfterStep(shape, kernelMemory, owner);
        };
    }

    void pack(RecurrentKernel.Parameters from) {
        long bytes = (long) recurrentWeights.rows() * hidden * Float.BYTES;
        FloatPointer.memcpy(recurrentWeights.start(), from.recurrent(), bytes);
        getRows(from.bias(), bias);
    }

    /**
     * Computes one step.
     *
     * @param stepGates {@code [lanes, blocks * hidden]}: {@code W x}, replaced in training by what {@link #backward} needs
     * @param before hidden state before the step
     * @param state before the step, overwritten by that after the step
     */
    abstract void forward(int step, BlasMatrix stepGates, BlasMatrix before, float[][] state);

    /** Clears the sums of the gradients. */
    void startBackward() {
        clear(dBias);
    }

    /**
     * Computes the gradients of one step.
     *
     * @param stepGates as {@link #forward} left them
     * @param dStepGates gradient with respect to {@code W x}, overwritten
     * @param before hidden state before the step
     * @param dState gradient with respect to the state after the step, overwritten by that before the step
     */
    abstract void backward(int step, BlasMatrix stepGates, BlasMatrix dStepGates, BlasMatrix before, float[][] dState);

    /**
     * Computes the gradients of R, the peepholes and b, after the backward pass of all steps.
     *
     * @param allDGates gradient with respect to {@code W x} of all steps
     */
    void gradient(BlasMatrix allDGates, HiddenStates states, RecurrentKernel.Parameters to) {
        recurrentGradient(allDGates, states, new BlasMatrix(to.recurrent(), recurrentWeights.rows(), hidden));
        putRows(dBias, to.bias());
    }

    abstract void recurrentGradient(BlasMatrix allDGates, HiddenStates states, BlasMatrix to);

    static void getRows(FloatPointer from, float[][] to) {
        for (int i = 0; i < to.length; i++) {
            from.getPointer((long) i * to[i].length).get(to[i]);
        }
    }

    static void putRows(float[][] from, FloatPointer to) {
        for (int i = 0; i < from.length; i++) {
            to.getPointer((long) i * from[i].length).put(from[i]);
        }
    }

    static void clear(float[][] arrays) {
        for (float[] array : arrays) {
            Arrays.fill(array, 0);
        }
    }

    /** Copies consecutive arrays of a lane. */
    static void load(float[] from, int start, float[]... to) {
        for (float[] array : to) {
            System.arraycopy(from, start, array, 0, array.length);
            start += array.length;
        }
    }

    /** Like {@link #load}, in the other direction. */
    static void store(float[] to, int start, float[]... from) {
        for (float[] array : from) {
            System.arraycopy(array, 0, to, start, array.length);
            start += array.length;
        }
    }

    static void add(float[] to, float[] values) {
        for (int i = 0; i < to.length; i++) {
            to[i] += values[i];
        }
    }

    static void multiply(float[] to, float[] factors) {
        for (int i = 0; i < to.length; i++) {
            to[i] *= factors[i];
        }
    }

    static void addProduct(float[] to, float[] a, float[] b) {
        for (int i = 0; i < to.length; i++) {
            to[i] += a[i] * b[i];
        }
    }

    /** Multiplies a gradient by the slope of tanh, given its value. */
    static void multiplyByTanhSlope(float[] gradient, float[] tanh) {
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] *= 1 - tanh[i] * tanh[i];
        }
    }

    /** Multiplies a gradient by the slope of the logistic function, given its value. */
    static void multiplyBySigmoidSlope(float[] gradient, float[] sigmoid) {
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] *= sigmoid[i] * (1 - sigmoid[i]);
        }
    }
}
