package io.unroll.bench;

/** A system that trains recurrent networks; those beside Unroll are found by {@link java.util.ServiceLoader}. */
public interface Peer {
    String name();

    /** @return whether the system has such a network, here */
    boolean supports(Case network);

    /** @param tokens {@code [lanes, steps + 1]}: inputs are all but the last of a lane, targets all but the first */
    Step open(Case network, int[][] tokens);

    /** A network that can be trained. */
    interface Step extends AutoCloseable {
        /** Trains on the tokens once: forward, loss, backward, clipping, Adam. */
        void run();

        /** @return seconds that all steps so far spent inside the kernels; NaN where they are not known */
        default double kernelSeconds() {
            return Double.NaN;
        }

        @Override
        void close();
    }
}
