package io.unroll.spark;

import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** Pool of networks in this process, which tasks reuse; its size is the number of concurrent tasks. */
final class ExecutorNetworks {
    private static final Deque<Network> IDLE = new ArrayDeque<>();

    private ExecutorNetworks() {}

    interface Use<T> {
        T apply(Network network) throws IOException;
    }

    /**
     * @param use receives a network of this shape; it must set weights and state, which a previous task may have
     *     changed
     */
    static <T> T use(NetworkShape shape, Use<T> use) throws IOException {
        Network network = take(shape);
        try {
            return use.apply(network);
        } finally {
            giveBack(network);
        }
    }

    private static Network take(NetworkShape shape) {
        synchronized (IDLE) {
            while (!IDLE.isEmpty()) {
                Network network = IDLE.pop();
                if (network.shape().equals(shape)) {
                    return network;
                }
                network.close();
            }
        }
        return new Network(shape);
    }

    private static void giveBack(Network network) {
        synchronized (IDLE) {
            IDLE.push(network);
        }
    }

    /** Frees the networks that no task uses. */
    static void close() {
        synchronized (IDLE) {
            IDLE.forEach(Network::close);
            IDLE.clear();
        }
    }
}
