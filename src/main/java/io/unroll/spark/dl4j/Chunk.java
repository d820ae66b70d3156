package io.unroll.spark.dl4j;

import io.unroll.config.UnrollException;
import java.io.Serializable;
import java.util.Arrays;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.api.java.function.Function;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A DataSet as plain Java, for the shuffle to its replica.
 *
 * @param problem why the DataSet could not be read; null if it could
 */
record Chunk(
        PlainArray[] features, PlainArray[] labels, PlainArray[] featureMasks, PlainArray[] labelMasks, String problem)
        implements Serializable {

    private Chunk(MultiDataSet data, String problem) {
        this(
                PlainArray.of(data.getFeatures()),
                PlainArray.of(data.getLabels()),
                PlainArray.of(data.getFeaturesMaskArrays()),
                PlainArray.of(data.getLabelsMaskArrays()),
                problem);
    }

    /** Never throws: {@link #check} reports the problem later, without a stack trace from Spark. */
    static <T> Chunk of(T element, Function<T, MultiDataSet> convert) {
        try {
            return new Chunk(convert.call(element), null);
        } catch (Exception e) {
            String reason = element == null ? "it is null" : ExceptionUtils.getRootCauseMessage(e);
            return new Chunk(new org.nd4j.linalg.dataset.MultiDataSet(), "cannot be read: " + reason);
        }
    }

    /** @throws UnrollException if a network with this number of outputs cannot be trained on this DataSet */
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

    private void checkMasks(String name, PlainArray[] masks, PlainArray[] arrays) {
        for (int i = 0; i < masks.length; i++) {
            if (masks[i] == null) {
                continue;
            }
            long[] mask = masks[i].shape();
            long[] masked = arrays[i].shape();
            boolean sequence = mask.length == 2 && masked.length == 3;
            if (mask.length < 2 || mask[0] != masked[0] || (sequence && mask[1] != masked[2])) {
                throw new UnrollException("has a mask " + Arrays.toString(mask) + " of " + name + " "
                        + Arrays.toString(masked) + ": it must be [lanes, steps]");
            }
        }
    }

    /** @return the shapes of features and labels, for messages */
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
     * @param classes number of classes of each output; 0 if its layer does not define it
     * @return the number of label steps that are not masked, over all lanes and outputs
     */
    long tokens(long[] classes) {
        long tokens = 0;
        for (int i = 0; i < labels.length; i++) {
            boolean masked = i < labelMasks.length && labelMasks[i] != null;
            tokens += masked ? maskedSteps(i, classes[i]) : steps(labels[i], classes[i]);
        }
        return tokens;
    }

    /** A mask has one value per step, or one per step and class. */
    private long maskedSteps(int output, long classes) {
        PlainArray mask = labelMasks[output];
        long valuesPerStep = Math.max(1, mask.length() / steps(labels[output], classes));
        return mask.nonZero() / valuesPerStep;
    }

    private static long steps(PlainArray labels, long classes) {
        long[] shape = labels.shape();
        long valuesPerStep = classes > 0 ? classes : shape.length > 1 ? shape[1] : 1;
        return Math.max(1, labels.length() / valuesPerStep);
    }
}
