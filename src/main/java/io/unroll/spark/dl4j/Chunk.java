package io.unroll.spark.dl4j;

import java.io.Serializable;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** One DataSet on its way to its replica. */
final class Chunk implements Serializable {
    private static final long serialVersionUID = 1;

    private final PlainArray[] features;
    private final PlainArray[] labels;
    private final PlainArray[] featureMasks;
    private final PlainArray[] labelMasks;

    Chunk(MultiDataSet data) {
        features = PlainArray.of(data.getFeatures());
        labels = PlainArray.of(data.getLabels());
        featureMasks = PlainArray.of(data.getFeaturesMaskArrays());
        labelMasks = PlainArray.of(data.getLabelsMaskArrays());
    }

    MultiDataSet data() {
        return new org.nd4j.linalg.dataset.MultiDataSet(
                PlainArray.arrays(features),
                PlainArray.arrays(labels),
                PlainArray.arrays(featureMasks),
                PlainArray.arrays(labelMasks));
    }

    long lanes() {
        return features[0].shape()[0];
    }

    /**
     * @param classes of each output; 0 where its layer does not say
     * @return label steps that count: those that no mask covers, over all lanes and outputs
     */
    long tokens(long[] classes) {
        long tokens = 0;
        for (int i = 0; i < labels.length; i++) {
            boolean masked = i < labelMasks.length && labelMasks[i] != null;
            tokens += masked ? maskedSteps(i, classes[i]) : steps(labels[i], classes[i]);
        }
        return tokens;
    }

    /** A mask has a number for each step, or, as the labels have, one for each class too. */
    private long maskedSteps(int output, long classes) {
        PlainArray mask = labelMasks[output];
        long each = Math.max(1, mask.length() / steps(labels[output], classes));
        return mask.nonZero() / each;
    }

    private static long steps(PlainArray labels, long classes) {
        long[] shape = labels.shape();
        long each = classes > 0 ? classes : shape.length > 1 ? shape[1] : 1;
        return Math.max(1, labels.length() / each);
    }
}
