package io.unroll.spark.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

class DrivenTest {
    /** Workers keep a network for the next call of fit if its configuration is the same. */
    @Test
    void aChainOfLayersHasTheSameConfigurationInEachCall() throws InterruptedException {
        MultiLayerConfiguration layers = TestNetworks.network(0.5, TestNetworks.lstm(4, 3, Activation.TANH));

        String first = Driven.of(TestNetworks.initial(layers)).configuration().toJson();
        Thread.sleep(3);

        assertEquals(
                first, Driven.of(TestNetworks.initial(layers)).configuration().toJson());
    }
}
