package io.unroll.train;

/** A weighted mean of vectors, summed in double precision in the order of the calls of {@link #add}. */
public final class WeightedMean {
    private final double[] sum;
    private long totalWeight;

    public WeightedMean(int size) {
        this.sum = new double[size];
    }

    public void add(float[] values, long weight) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * (double) values[i];
        }
        totalWeight += weight;
    }

    public float[] value() {
        float[] mean = new float[sum.length];
        for (int i = 0; i < sum.length; i++) {
            mean[i] = (float) (sum[i] / totalWeight);
        }
        return mean;
    }
}
