package io.unroll.spark;

import io.unroll.model.Network;
import io.unroll.model.NetworkShape;

/** Networks that tasks use one after the other: each executor thread keeps the one it used last. */
final class ExecutorNetworks {
    private static final ThreadLocal<Network> LAST = new ThreadLocal<>();

    private ExecutorNetworks() {}

    /** @return a network of this shape; its weights and state are whatever the thread's last task left */
    static Network of(NetworkShape shape) {
        Network network = LAST.get();
        if (network == null || !network.shape().equals(shape)) {
            if (network != null) {
                LAST.remove();
                network.close();
            }
            network = new Network(shape, 0);
            LAST.set(network);
        }
        return network;
    }
}
