package io.unroll.spark;

import io.unroll.model.Trainee;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.apache.commons.io.function.IOFunction;

/** Pool of networks in this process, which tasks reuse; its size is the number of concurrent tasks. */
public final class IdlePool {
    private static final Deque<Idle> IDLE = new ArrayDeque<>();

    private IdlePool() {}

    private record Idle(Object key, Trainee network) {}

    /**
     * @param key equal for networks that can replace each other
     * @param create creates a network if none is idle
     * @param use receives a network; it must set weights and state, which a previous task may have changed
     */
    @SuppressWarnings("unchecked")
    public static <N extends Trainee, T> T use(Object key, Supplier<N> create, IOFunction<N, T> use)
            throws IOException {
        Trainee idle = take(key);
        N network = idle == null ? create.get() : (N) idle;
        T result;
        try {
            result = use.apply(network);
        } catch (Throwable e) {
            network.close();
            throw e;
        }
        synchronized (IDLE) {
            IDLE.push(new Idle(key, network));
        }
        return result;
    }

    /** @return null if no network with this key is idle; closes networks with other keys */
    private static Trainee take(Object key) {
        synchronized (IDLE) {
            while (!IDLE.isEmpty()) {
                Idle idle = IDLE.pop();
                if (idle.key.equals(key)) {
                    return idle.network;
                }
                idle.network.close();
            }
        }
        return null;
    }

    /** Frees the networks that no task uses. */
    static void close() {
        synchronized (IDLE) {
            IDLE.forEach(idle -> idle.network.close());
            IDLE.clear();
        }
    }
}
