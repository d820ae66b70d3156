package io.unroll.model;

import java.util.Collection;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What Deeplearning4j expects of every layer that a configuration class instantiates. */
final class CustomLayers {
    private CustomLayers() {}

    static Layer ready(
            Layer layer,
            Map<String, INDArray> table,
            Collection<TrainingListener> listeners,
            int index,
            INDArray parameters) {
        layer.setListeners(listeners);
        layer.setIndex(index);
        layer.setParamsViewArray(parameters);
        layer.setParamTable(table);
        return layer;
    }
}
