package io.unroll.spark.dl4j;

import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.nd4j.linalg.dataset.DataSet;

/** A local Spark context for tests. */
final class LocalSpark implements AutoCloseable {
    private final JavaSparkContext context;

    /** @param settings alternating keys and values */
    LocalSpark(int cores, String... settings) {
        SparkConf conf = new SparkConf(false)
                .setMaster("local[" + cores + "]")
                .setAppName("test")
                .set("spark.ui.enabled", "false");
        for (int i = 0; i < settings.length; i += 2) {
            conf.set(settings[i], settings[i + 1]);
        }
        context = new JavaSparkContext(conf);
    }

    JavaSparkContext context() {
        return context;
    }

    JavaRDD<DataSet> rdd(List<DataSet> data, int partitions) {
        return context.parallelize(data, partitions);
    }

    /** @return the parameters after one call of {@code fit} */
    float[] trained(MultiLayerConfiguration network, List<DataSet> data, int partitions, UnrollTrainingMaster master) {
        MultiLayerNetwork net = TestNetworks.initial(network);
        new SparkDl4jMultiLayer(context, net, master).fit(rdd(data, partitions));
        return TestNetworks.floats(net.params());
    }

    @Override
    public void close() {
        context.close();
    }
}
