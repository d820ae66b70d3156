package io.unroll.kernel;

import static org.bytedeco.dnnl.memory.data_type.bf16;
import static org.bytedeco.dnnl.memory.data_type.f32;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A {@link RecurrentKernel} on oneDNN's recurrent primitives, which compute all steps in one call. With bfloat16, weights
 * and activations inside are bfloat16; sums and gradients are float32.
 */
final class PrimitiveKernel implements RecurrentKernel {
    private static final int[] STATE_ARGUMENTS = {dnnl.DNNL_ARG_SRC_ITER, dnnl.DNNL_ARG_SRC_ITER_C};
    private static final int[] LAST_STATE_ARGUMENTS = {dnnl.DNNL_ARG_DST_ITER, dnnl.DNNL_ARG_DST_ITER_C};
    private static final int[] D_STATE_ARGUMENTS = {dnnl.DNNL_ARG_DIFF_SRC_ITER, dnnl.DNNL_ARG_DIFF_SRC_ITER_C};
    private static final int[] D_LAST_STATE_ARGUMENTS = {dnnl.DNNL_ARG_DIFF_DST_ITER, dnnl.DNNL_ARG_DIFF_DST_ITER_C};

    private final ResourceScope resources = new ResourceScope();
    private final Shape shape;
    private final ConvertedArray input;
    private final ConvertedArray output;
    private final ConvertedArray[] state;
    private final ConvertedArray[] lastState;
    private final BoundPrimitive forward;
    private final Blocks.Matrix inputWeights;
    private final Blocks.Matrix recurrentWeights;
    private final List<BoundPrimitive> packInputWeights = new ArrayList<>();
    private final List<BoundPrimitive> packRecurrentWeights = new ArrayList<>();
    private final Blocks biasBlocks;
    private final Blocks peepholeBlocks;
    private final memory bias;
    private final memory peepholes;
    private final Backward backward;

    /** @param kernelMemory may be shared with kernels that do not run at the same time */
    PrimitiveKernel(Shape shape, KernelMemory kernelMemory) {
        this.shape = shape;
        CellType cell = shape.cell();
        memory.data_type type = shape.bfloat16() ? bf16 : f32;
        try (RecurrentPrimitives primitives = new RecurrentPrimitives(shape, type, kernelMemory, resources)) {
            input = ConvertedArray.view(type, kernelMemory, resources, shape.steps(), shape.lanes(), shape.inputs());
            output = ConvertedArray.view(type, kernelMemory, resources, shape.steps(), shape.lanes(), shape.hidden());
            state = states(type, kernelMemory);
            lastState = states(type, kernelMemory);
            inputWeights = new Blocks.Matrix(cell, shape.inputs(), shape.hidden(), kernelMemory, resources);
            recurrentWeights = new Blocks.Matrix(cell, shape.hidden(), shape.hidden(), kernelMemory, resources);
            biasBlocks = new Blocks(cell.oneDnnOrder(), cell.biases(), shape.hidden());
            peepholeBlocks = new Blocks(CellType.PEEPHOLE_ORDER, CellType.PEEPHOLE_ORDER.size(), shape.hidden());
            bias = primitives.forwardMemory(dnnl.DNNL_ARG_BIAS);
            peepholes =
                    cell == CellType.LSTM_PEEPHOLE ? primitives.forwardMemory(dnnl.DNNL_ARG_WEIGHTS_PEEPHOLE) : null;
            forward = resources.add(primitives.forwardPrimitive());
            memory workspace = shape.training() ? primitives.forwardMemory(dnnl.DNNL_ARG_WORKSPACE) : null;
            bindCommonArguments(forward, workspace, primitives::forwardMemory);
            backward = shape.training() ? new Backward(primitives, workspace) : null;
        }
    }

    private ConvertedArray[] states(memory.data_type type, KernelMemory kernelMemory) {
        ConvertedArray[] states = new ConvertedArray[shape.cell().states()];
        for (int i = 0; i < states.length; i++) {
            states[i] = ConvertedArray.allocate(
                    i == 0 ? type : f32, kernelMemory, resources, 1, 1, shape.lanes(), shape.hidden());
        }
        return states;
    }

    /** Sets the arguments that the forward and the backward primitive share. */
    private void bindCommonArguments(BoundPrimitive primitive, memory workspace, IntFunction<memory> memoryOf) {
        memory packedInput = memoryOf.apply(dnnl.DNNL_ARG_WEIGHTS_LAYER);
        memory packedRecurrent = memoryOf.apply(dnnl.DNNL_ARG_WEIGHTS_ITER);
        packInputWeights.add(inputWeights.packing(packedInput));
        packRecurrentWeights.add(recurrentWeights.packing(packedRecurrent));
        primitive
                .with(dnnl.DNNL_ARG_WEIGHTS_LAYER, packedInput)
                .with(dnnl.DNNL_ARG_WEIGHTS_ITER, packedRecurrent)
                .with(dnnl.DNNL_ARG_SRC_LAYER, input.typed())
                .with(dnnl.DNNL_ARG_DST_LAYER, output.typed())
                .with(dnnl.DNNL_ARG_BIAS, bias);
        for (int i = 0; i < state.length; i++) {
            primitive.with(STATE_ARGUMENTS[i], state[i].typed()).with(LAST_STATE_ARGUMENTS[i], lastState[i].typed());
        }
        if (peepholes != null) {
            primitive.with(dnnl.DNNL_ARG_WEIGHTS_PEEPHOLE, peepholes);
        }
        if (workspace != null) {
            primitive.with(dnnl.DNNL_ARG_WORKSPACE, workspace);
        }
    }

    @Override
    public Shape shape() {
        return shape;
    }

    /** Copies the parameters into the layout of the primitives. */
    @Override
    public void pack(Parameters from) {
        inputWeights.setWeights(from.input());
        packInputWeights.forEach(BoundPrimitive::run);
        recurrentWeights.setWeights(from.recurrent());
        packRecurrentWeights.forEach(BoundPrimitive::run);
        biasBlocks.toOneDnn(from.bias(), OneDnn.floats(bias));
        if (peepholes != null) {
            peepholeBlocks.toOneDnn(from.peepholes(shape.cell(), shape.hidden()), OneDnn.floats(peepholes));
        }
    }

    @Override
    public float[][] forward(Pointer x, Pointer y, float[][] initialState) {
        input.attach(x);
        output.attach(y);
        input.convertFromFloat32();
        for (int i = 0; i < state.length; i++) {
            put(initialState, i, state[i].floats());
            state[i].convertFromFloat32();
        }
        forward.run();
        output.convertToFloat32();
        float[][] result = new float[state.length][shape.stateSize()];
        for (int i = 0; i < state.length; i++) {
            lastState[i].convertToFloat32();
            lastState[i].floats().get(result[i]);
        }
        return result;
    }

    private void put(float[][] arrays, int i, FloatPointer to) {
        if (arrays.length == 0) {
            Pointer.memset(to, 0, (long) shape.stateSize() * Float.BYTES);
        } else {
            shape.checkState(arrays[i]);
            to.put(arrays[i]);
        }
    }

    @Override
    public void backward(Pointer dy, Pointer dx, Parameters gradient, float[][] lastStateGradient) {
        backward.run(dy, dx, gradient, lastStateGradient);
    }

    @Override
    public float[][] stateGradient() {
        float[][] gradient = new float[state.length][shape.stateSize()];
        for (int i = 0; i < state.length; i++) {
            OneDnn.floats(backward.dState[i]).get(gradient[i]);
        }
        return gradient;
    }

    @Override
    public void close() {
        resources.close();
    }

    private final class Backward {
        private final memory dOutput;
        private final memory dInput;
        private final memory[] dState = new memory[shape.cell().states()];
        private final memory[] dLastState = new memory[shape.cell().states()];
        private final Map<Integer, memory> parameterGradients = new LinkedHashMap<>();
        private final BoundPrimitive backward;
        private final BoundPrimitive unpackInputGradient;
        private final BoundPrimitive unpackRecurrentGradient;

        Backward(RecurrentPrimitives primitives, memory workspace) {
            try (memory.desc in = OneDnn.plain(f32, shape.steps(), shape.lanes(), shape.inputs());
                    memory.desc out = OneDnn.plain(f32, shape.steps(), shape.lanes(), shape.hidden())) {
                dInput = resources.add(OneDnn.view(in));
                dOutput = resources.add(OneDnn.view(out));
            }
            backward = resources.add(primitives.backwardPrimitive());
            bindCommonArguments(backward, workspace, primitives::backwardMemory);
            backward.with(dnnl.DNNL_ARG_DIFF_SRC_LAYER, dInput).with(dnnl.DNNL_ARG_DIFF_DST_LAYER, dOutput);
            for (int i = 0; i < dState.length; i++) {
                dState[i] = primitives.backwardMemory(D_STATE_ARGUMENTS[i]);
                dLastState[i] = primitives.backwardMemory(D_LAST_STATE_ARGUMENTS[i]);
                backward.with(D_STATE_ARGUMENTS[i], dState[i]).with(D_LAST_STATE_ARGUMENTS[i], dLastState[i]);
            }
            addParameterGradient(primitives, dnnl.DNNL_ARG_DIFF_WEIGHTS_LAYER);
            addParameterGradient(primitives, dnnl.DNNL_ARG_DIFF_WEIGHTS_ITER);
            addParameterGradient(primitives, dnnl.DNNL_ARG_DIFF_BIAS);
            if (peepholes != null) {
                addParameterGradient(primitives, dnnl.DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE);
            }
            unpackInputGradient = inputWeights.unpacking(parameterGradients.get(dnnl.DNNL_ARG_DIFF_WEIGHTS_LAYER));
            unpackRecurrentGradient =
                    recurrentWeights.unpacking(parameterGradients.get(dnnl.DNNL_ARG_DIFF_WEIGHTS_ITER));
        }

        private void addParameterGradient(RecurrentPrimitives primitives, int argument) {
            parameterGradients.put(argument, primitives.backwardMemory(argument));
            backward.with(argument, parameterGradients.get(argument));
        }

        void run(Pointer dy, Pointer dx, Parameters gradient, float[][] lastStateGradient) {
            dOutput.set_data_handle(dy);
            dInput.set_data_handle(dx);
            for (int i = 0; i < dLastState.length; i++) {
                put(lastStateGradient, i, OneDnn.floats(dLastState[i]));
            }
            parameterGradients.values().forEach(OneDnn::clear);
            backward.run();
            inputWeights.unpack(unpackInputGradient, gradient.input());
            recurrentWeights.unpack(unpackRecurrentGradient, gradient.recurrent());
            biasBlocks.fromOneDnn(OneDnn.floats(parameterGradients.get(dnnl.DNNL_ARG_DIFF_BIAS)), gradient.bias());
            if (peepholes != null) {
                FloatPointer dPeepholes = OneDnn.floats(parameterGradients.get(dnnl.DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE));
                peepholeBlocks.fromOneDnn(dPeepholes, gradient.peepholes(shape.cell(), shape.hidden()));
            }
        }
    }
}
