package io.unroll.spark.dl4j;

import io.unroll.config.ConfigurationException;
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
 * The user's network on the driver. Whatever its class, replicas train a {@code ComputationGraph}: for a chain of
 * layers its parameters and its updaters' state lie as in a {@code MultiLayerNetwork}.
 *
 * @param configuration what the replicas train; its counts are zero, so that it is the same in each call of fit
 * @param updater a view of the network's; null where the updaters remember nothing
 * @param iteration steps that the network has been trained for
 */
record Driven(
        Model model,
        ComputationGraphConfiguration configuration,
        INDArray updater,
        int iteration,
        int epoch,
        IntConsumer setIteration,
        DoubleConsumer setScore) {

    static Driven of(MultiLayerNetwork network) {
        checkType(network.getLayerWiseConfigurations().getDataType());
        return new Driven(
                network,
                chain(network.getLayerWiseConfigurations().clone()),
                network.updaterState(),
                network.getIterationCount(),
                network.getEpochCount(),
                network::setIterationCount,
                network::setScore);
    }

    static Driven of(ComputationGraph network) {
        checkType(network.getConfiguration().getDataType());
        ComputationGraphConfiguration configuration = network.getConfiguration().clone();
        configuration.setBackpropType(BackpropType.Standard);
        configuration.setIterationCount(0);
        configuration.setEpochCount(0);
        return new Driven(
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
            throw new ConfigurationException("the network is of " + type
                    + ", and UnrollTrainingMaster trains networks of FLOAT: set dataType(DataType.FLOAT) in its"
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
        // Otherwise the time of day, and no configuration would be that of the call before.
        chain.getDefaultConfiguration().setSeed(layers.getConf(0).getSeed());
        chain.getDefaultConfiguration().setMiniBatch(layers.getConf(0).isMiniBatch());
        chain.getDefaultConfiguration().setOptimizationAlgo(layers.getConf(0).getOptimizationAlgo());
        chain.setTrainingWorkspaceMode(layers.getTrainingWorkspaceMode());
        chain.setInferenceWorkspaceMode(layers.getInferenceWorkspaceMode());
        return chain;
    }

    /** @return of each output; 0 where its layer does not say */
    long[] classes() {
        return configuration.getNetworkOutputs().stream()
                .map(configuration.getVertices()::get)
                .mapToLong(vertex -> vertex instanceof LayerVertex one
                                && one.getLayerConf().getLayer() instanceof FeedForwardLayer layer
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

    /** Gives the network what has been learnt. */
    void publish(Start start, double score) {
        model.setParams(
                Nd4j.createFromArray(start.parameters).reshape(model.params().shape()));
        if (updater != null) {
            updater.assign(Nd4j.createFromArray(start.updater).reshape(updater.shape()));
        }
        setIteration.accept(start.iteration);
        setScore.accept(score);
    }
}
