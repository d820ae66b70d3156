package io.unroll.model;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Encodes images with a Deeplearning4j network. */
final class ImageEncoder implements Encoder {
    private final ImageShape shape;
    private final int resultArrays;
    private final MultiLayerNetwork net;
    private final INDArray gradient;
    private final List<INDArray> live = new ArrayList<>();

    /** @param resultArrays number of equal arrays into which {@link #outputs} splits the outputs of an image */
    ImageEncoder(ImageShape shape, int resultArrays, INDArray parameters, INDArray gradient) {
        this.shape = shape;
        this.resultArrays = resultArrays;
        this.gradient = gradient;
        this.net = new MultiLayerNetwork(shape.configuration(EncoderShape.UNUSED_SEED));
        net.init(parameters, false);
        net.initGradientsView();
    }

    @Override
    public void encode(int[][] sources, boolean training, RecurrentStack decoder, Head head) {
        float[][] outputs = outputs(sources, training);
        if (startsWithImage()) {
            decoder.setState(RecurrentState.ZERO);
            decoder.setFirstStep(outputs[0]);
        } else {
            decoder.setState(new RecurrentState(outputs));
        }
    }

    private boolean startsWithImage() {
        return shape.place() == ImageShape.Place.FIRST_STEP;
    }

    /** @return outputs for the lanes' images, split into equal arrays {@code [lanes, size]} */
    float[][] outputs(int[][] sources, boolean training) {
        free();
        INDArray outputs;
        INDArray images = shape.input(sources);
        live.add(images);
        if (training) {
            net.setInput(images);
            live.addAll(net.feedForward(true, false));
            outputs = live.get(live.size() - 1);
        } else {
            outputs = net.output(images, false);
            live.add(outputs);
        }
        int size = shape.outputs() / resultArrays;
        float[][] result = new float[resultArrays][size * sources.length];
        float[] values = outputs.dup('c').data().asFloat();
        for (int lane = 0; lane < sources.length; lane++) {
            for (int i = 0; i < resultArrays; i++) {
                System.arraycopy(values, (lane * resultArrays + i) * size, result[i], lane * size, size);
            }
        }
        return result;
    }

    /** Frees the arrays of the last pass, because the garbage collector does not see how large they are. */
    private void free() {
        live.stream().filter(array -> array.closeable() && !array.wasClosed()).forEach(INDArray::close);
        live.clear();
    }

    @Override
    public void backward(RecurrentStack decoder, Head head) {
        float[][] resultGradient = startsWithImage()
                ? new float[][] {decoder.firstStepGradient()}
                : decoder.stateGradient().arrays();
        int size = shape.outputs() / resultArrays;
        int lanes = resultGradient[0].length / size;
        float[] values = new float[lanes * shape.outputs()];
        for (int lane = 0; lane < lanes; lane++) {
            for (int i = 0; i < resultArrays; i++) {
                System.arraycopy(resultGradient[i], lane * size, values, (lane * resultArrays + i) * size, size);
            }
        }
        INDArray error = Nd4j.createFromArray(values).reshape('c', lanes, shape.outputs());
        live.add(error);
        live.add(net.backpropGradient(error, LayerWorkspaceMgr.noWorkspaces()).getSecond());
        gradient.addi(net.getFlattenedGradients());
        free();
    }

    @Override
    public void close() {
        free();
        net.close();
    }
}
