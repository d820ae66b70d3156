package io.unroll.spark.dl4j;

import io.unroll.config.ConfigurationException;
import io.unroll.train.Weights;
import java.util.function.DoubleConsumer;
import java.util.function.IntConsumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The user's network on the driver. Replicas always train a {@code ComputationGraph}: for a chain of layers, it has the
 * same layout of parameters and updater state as a {@code MultiLayerNetwork}.
 *
 * @param configuration of the replicas' networks; its counts are zero, so that it is equal in all calls of fit
 * @param updater view of the network's updater state; null if its updaters have none
 * @param iteration number of steps that the network has been trained for
 */
record UserNetwork(
        Model model,
        ComputationGraphConfiguration configuration,
        INDArray updater,
        int iteration,
        int epoch,
        IntConsumer setIteration,
        DoubleConsumer setScore) {

    static UserNetwork of(MultiLayerNetwork network) {
        checkType(network.getLayerWiseConfigurations().getDataType());
        return new UserNetwork(
                network,
                chain(network.getLayerWiseConfigurations().clone()),
                network.updaterState(),
                network.getIterationCount(),
                network.getEpochCount(),
                network::setIterationCount,
                network::setScore);
    }

    static UserNetwork of(ComputationGraph network) {
        checkType(network.getConfiguration().getDataType());
        ComputationGraphConfiguration configuration = network.getConfiguration().clone();
        configuration.setBackpropType(BackpropType.Standard);
        configuration.setIterationCount(0);
        configuration.setEpochCount(0);
        return new UserNetwork(
                network,
                configuration,
                network.updaterState(),
                network.getIterationCount(),
                network.getEpochCount(),
                network.getConfiguration()::setIterationCount,
                network::setScore);
    }

    private static void checkType(DataType type) {
        if (type != DataType.FLOAT) {
            throw new ConfigurationException("the network has the data type " + type
                    + ", but UnrollTrainingMaster supports only FLOAT: set dataType(DataType.FLOAT) in its"
                    + " configuration.");
        }
    }

    private static ComputationGraphConfiguration chain(MultiLayerConfiguration layers) {
        var graph = new NeuralNetConfiguration.Builder()
                .dataType(layers.getDataType())
                .graphBuilder()
                .addInputs("in");
        String last = "in";
        for (int i = 0; i < layers.getConfs().size(); i++) {
            String name = Integer.toString(i);
            graph.addLayer(name, layers.getConf(i).getLayer().clone(), layers.getInputPreProcess(i), last);
            last = name;
        }
        ComputationGraphConfiguration chain = graph.setOutputs(last).build();
        for (int i = 0; i < layers.getConfs().size(); i++) {
            LayerVertex vertex = (LayerVertex) chain.getVertices().get(Integer.toString(i));
            vertex.getLayerConf().setMiniBatch(layers.getConf(i).isMiniBatch());
            vertex.getLayerConf().setSeed(layers.getConf(i).getSeed());
        }
        // By default, the seed is the time of day, and the configuration would differ in each call.
        chain.getDefaultConfiguration().setSeed(layers.getConf(0).getSeed());
        chain.getDefaultConfiguration().setMiniBatch(layers.getConf(0).isMiniBatch());
        chain.getDefaultConfiguration().setOptimizationAlgo(layers.getConf(0).getOptimizationAlgo());
        chain.setTrainingWorkspaceMode(layers.getTrainingWorkspaceMode());
        chain.setInferenceWorkspaceMode(layers.getInferenceWorkspaceMode());
        return chain;
    }

    /** @return the number of classes of each output; 0 if its layer does not define it */
    long[] classes() {
        return configuration.getNetworkOutputs().stream()
                .map(configuration.getVertices()::get)
                .mapToLong(vertex -> vertex instanceof LayerVertex layerVertex
                                && layerVertex.getLayerConf().getLayer() instanceof FeedForwardLayer layer
                        ? layer.getNOut()
                        : 0)
                .toArray();
    }

    float[] parameters() {
        return model.params().dup().data().asFloat();
    }

    float[] updaterState() {
        return updater == null ? new float[0] : updater.dup().data().asFloat();
    }

    /** Sets the network to the averaged weights of a round. */
    void update(Weights averaged, int iterations, double score) {
        model.setParams(Nd4j.createFromArray(averaged.parameters())
                .reshape(model.params().shape()));
        if (updater != null) {
            updater.assign(Nd4j.createFromArray(averaged.optimizer()).reshape(updater.shape()));
        }
        setIteration.accept(iterations);
        setScore.accept(score);
    }
}
