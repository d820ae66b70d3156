package io.unroll.spark;

import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** The networks of this process, which tasks use one after the other: as many as tasks have run at once. */
final class ExecutorNetworks {
    private static final Deque<Network> IDLE = new ArrayDeque<>();

    private ExecutorNetworks() {}

    interface Use<T> {
        T of(Network network) throws IOException;
    }

    /** @param use gets a network of this shape, whose weights and state are whatever the last task left */
    static <T> T use(NetworkShape shape, Use<T> use) throws IOException {
        Network network = take(shape);
        try {
            return use.of(network);
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

    /** Frees what no task uses. */
    static void close() {
        synchronized (IDLE) {
            IDLE.forEach(Network::close);
            IDLE.clear();
        }
    }
}
