package io.unroll.spark.dl4j;

import io.unroll.config.UnrollException;
import java.io.Serializable;
import java.util.Arrays;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.api.java.function.Function;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** One DataSet on its way to its replica. */
final class Chunk implements Serializable {
    private static final long serialVersionUID = 1;

    private final PlainArray[] features;
    private final PlainArray[] labels;
    private final PlainArray[] featureMasks;
    private final PlainArray[] labelMasks;

    /** Why it could not be read; null where it was. */
    private final String problem;

    private Chunk(MultiDataSet data, String problem) {
        features = PlainArray.of(data.getFeatures());
        labels = PlainArray.of(data.getLabels());
        featureMasks = PlainArray.of(data.getFeaturesMaskArrays());
        labelMasks = PlainArray.of(data.getLabelsMaskArrays());
        this.problem = problem;
    }

    /** Never throws: what is wrong with the DataSet is {@link #check}'s to say, where Spark adds no trace to it. */
    static <T> Chunk of(T one, Function<T, MultiDataSet> read) {
        try {
            return new Chunk(read.call(one), null);
        } catch (Exception e) {
            String reason = one == null ? "it is null" : ExceptionUtils.getRootCauseMessage(e);
            return new Chunk(new org.nd4j.linalg.dataset.MultiDataSet(), "cannot be read: " + reason);
        }
    }

    /** @throws UnrollException where no network with so many outputs can be trained on it */
    void check(int outputs) {
        if (problem != null) {
            throw new UnrollException(problem);
        }
        if (features.length == 0 || labels.length == 0) {
            throw new UnrollException("has no " + (features.length == 0 ? "features" : "labels"));
        }
        if (labels.length != outputs) {
            throw new UnrollException("has " + labels.length + " labels, and the network has " + outputs + " outputs");
        }
        check("features", features);
        check("labels", labels);
        checkMasks("features", featureMasks, features);
        checkMasks("labels", labelMasks, labels);
    }

    private void check(String name, PlainArray[] arrays) {
        for (PlainArray array : arrays) {
            if (array == null || array.length() == 0) {
                throw new UnrollException("has no " + name);
            }
            if (array.shape().length < 2 || array.shape()[0] != features[0].shape()[0]) {
                throw new UnrollException(
                        "has " + shapes() + ": each must be [lanes, ...], with the same number of lanes");
            }
        }
    }

    private void checkMasks(String name, PlainArray[] masks, PlainArray[] of) {
        for (int i = 0; i < masks.length; i++) {
            if (masks[i] == null) {
                continue;
            }
            long[] mask = masks[i].shape();
            long[] masked = of[i].shape();
            boolean ofSteps = mask.length == 2 && masked.length == 3;
            if (mask.length < 2 || mask[0] != masked[0] || (ofSteps && mask[1] != masked[2])) {
                throw new UnrollException("has a mask " + Arrays.toString(mask) + " of " + name + " "
                        + Arrays.toString(masked) + ": it must be [lanes, steps]");
            }
        }
    }

    /** @return the shapes of what is learnt from, for messages */
    String shapes() {
        return "features " + PlainArray.shapes(features) + " and labels " + PlainArray.shapes(labels);
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
