package io.unroll.spark.dl4j;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The state of a replica's recurrent layers between rounds, as plain Java arrays. */
final class CarriedState implements Serializable {
    private static final long serialVersionUID = 1;

    static final CarriedState ZERO = new CarriedState(List.of(), 0);

    private final ArrayList<TreeMap<String, PlainArray>> layers = new ArrayList<>();
    private final long lanes;

    CarriedState(List<Map<String, INDArray>> layers, long lanes) {
        for (Map<String, INDArray> layer : layers) {
            TreeMap<String, PlainArray> plain = new TreeMap<>();
            layer.forEach((name, array) -> plain.put(name, PlainArray.of(array)));
            this.layers.add(plain);
        }
        this.lanes = lanes;
    }

    List<Map<String, INDArray>> arrays() {
        List<Map<String, INDArray>> arrays = new ArrayList<>();
        for (Map<String, PlainArray> plain : layers) {
            Map<String, INDArray> layer = new HashMap<>();
            plain.forEach((name, array) -> layer.put(name, array.array()));
            arrays.add(layer);
        }
        return arrays;
    }

    /** @return the number of lanes; 0 before the first chunk */
    long lanes() {
        return lanes;
    }
}
