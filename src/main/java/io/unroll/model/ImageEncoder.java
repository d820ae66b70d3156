package io.unroll.model;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A network of Deeplearning4j that reads images. */
final class ImageEncoder implements Encoder {
    private final ImageShape shape;
    private final int arrays;
    private final MultiLayerNetwork net;
    private final INDArray gradient;
    private final List<INDArray> live = new ArrayList<>();

    /** @param arrays between which the outputs are shared */
    ImageEncoder(ImageShape shape, int arrays, INDArray parameters, INDArray gradient) {
        this.shape = shape;
        this.arrays = arrays;
        this.gradient = gradient;
        this.net = new MultiLayerNetwork(shape.configuration(EncoderShape.UNUSED_SEED));
        net.init(parameters, false);
        net.initGradientsView();
    }

    @Override
    public float[][] encode(int[][] sources, boolean training) {
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
        int each = shape.outputs() / arrays;
        float[][] shared = new float[arrays][each * sources.length];
        float[] all = outputs.dup('c').data().asFloat();
        for (int lane = 0; lane < sources.length; lane++) {
            for (int i = 0; i < arrays; i++) {
                System.arraycopy(all, (lane * arrays + i) * each, shared[i], lane * each, each);
            }
        }
        return shared;
    }

    /** Java's collector does not see how large they are. */
    private void free() {
        live.stream().filter(array -> array.closeable() && !array.wasClosed()).forEach(INDArray::close);
        live.clear();
    }

    @Override
    public float[][] states() {
        throw new UnsupportedOperationException("an image has no tokens");
    }

    @Override
    public void backward(float[][] outputGradient, float[][] states) {
        int each = shape.outputs() / arrays;
        int lanes = outputGradient[0].length / each;
        float[] all = new float[lanes * shape.outputs()];
        for (int lane = 0; lane < lanes; lane++) {
            for (int i = 0; i < arrays; i++) {
                System.arraycopy(outputGradient[i], lane * each, all, (lane * arrays + i) * each, each);
            }
        }
        INDArray error = Nd4j.createFromArray(all).reshape('c', lanes, shape.outputs());
        live.add(error);
        live.add(net.backpropGradient(error, LayerWorkspaceMgr.noWorkspaces()).getSecond());
        gradient.addi(net.getFlattenedGradients());
        free();
    }

    @Override
    public void parametersChanged() {
        // They are read anew in each pass.
    }

    @Override
    public void close() {
        free();
        net.close();
    }
}
