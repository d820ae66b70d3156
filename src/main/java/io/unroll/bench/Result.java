package io.unroll.bench;

/**
 * How fast a peer trains a network.
 *
 * @param tokensPerSecond of all replicas together, median
 * @param gflops 10^9 floating-point operations a second, by {@link Case#operations}
 * @param peakShare of the matrix products that the same threads do in that time, at their best size
 * @param kernelShare time inside oneDNN; NaN where it is not known
 */
public record Result(
        String peer,
        Case network,
        int replicas,
        double tokensPerSecond,
        double gflops,
        double peakShare,
        double kernelShare) {}
