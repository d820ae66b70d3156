package io.unroll.bench;

/** A system that trains recurrent networks. Systems other than Unroll are found by {@link java.util.ServiceLoader}. */
public interface Peer {
    String name();

    /** @return whether the system supports the network on this machine */
    boolean supports(Case network);

    /**
     * Creates the network.
     *
     * @param tokens {@code [lanes, steps + 1]}; the first {@code steps} of a lane are inputs, the last {@code steps}
     *     targets
     */
    Step open(Case network, int[][] tokens);

    /** A network, ready to be trained. */
    interface Step extends AutoCloseable {
        /** Does one training step: forward, loss, backward, clipping, Adam. */
        void run();

        /** @return seconds that all steps so far spent in kernels; NaN if unknown */
        default double kernelSeconds() {
            return Double.NaN;
        }

        @Override
        void close();
    }
}
