package io.unroll.train;

/** A mean of vectors, summed in double precision and in the order in which they come. */
public final class WeightedMean {
    private final double[] sum;
    private long weights;

    public WeightedMean(int size) {
        this.sum = new double[size];
    }

    public void add(float[] values, long weight) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * (double) values[i];
        }
        weights += weight;
    }

    public float[] value() {
        float[] mean = new float[sum.length];
        for (int i = 0; i < sum.length; i++) {
            mean[i] = (float) (sum[i] / weights);
        }
        return mean;
    }
}
