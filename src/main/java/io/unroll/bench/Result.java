package io.unroll.bench;

/**
 * The measured speed of a system that trains a network.
 *
 * @param peer name of the system
 * @param tokensPerSecond tokens per second of all replicas together, median
 * @param gflops 10^9 floating-point operations per second, by {@link Case#operations}
 * @param peakShare share of the floating-point operations that the same threads do per second in large matrix products
 * @param kernelShare share of the time spent in oneDNN and OpenBLAS; NaN if unknown
 */
public record Result(
        String peer,
        Case network,
        int replicas,
        double tokensPerSecond,
        double gflops,
        double peakShare,
        double kernelShare) {}
