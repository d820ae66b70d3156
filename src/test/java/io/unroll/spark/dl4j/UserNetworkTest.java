package io.unroll.spark.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

class UserNetworkTest {
    /** Executors reuse a network in the next call of fit if its configuration is equal. */
    @Test
    void aMultiLayerNetworkHasTheSameConfigurationInEachCall() throws InterruptedException {
        MultiLayerConfiguration layers = TestNetworks.network(0.5, TestNetworks.lstm(4, 3, Activation.TANH));

        String first =
                UserNetwork.of(TestNetworks.initial(layers)).configuration().toJson();
        Thread.sleep(3);

        assertEquals(
                first,
                UserNetwork.of(TestNetworks.initial(layers)).configuration().toJson());
    }
}
