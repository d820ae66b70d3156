package io.unroll.spark.dl4j;

import io.unroll.model.StatefulGraph;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;

/** Pool of networks in this process, which tasks reuse; its size is the number of concurrent tasks. */
final class IdleGraphs {
    private static final Deque<Idle> IDLE = new ArrayDeque<>();

    private IdleGraphs() {}

    private record Idle(String configuration, StatefulGraph graph) {}

    /**
     * @param use receives a network of this configuration; it must set weights and state, which a previous task may
     *     have changed
     */
    static <T> T use(String configuration, Function<StatefulGraph, T> use) {
        StatefulGraph graph = take(configuration);
        T result;
        try {
            result = use.apply(graph);
        } catch (RuntimeException e) {
            graph.close();
            throw e;
        }
        synchronized (IDLE) {
            IDLE.push(new Idle(configuration, graph));
        }
        return result;
    }

    private static StatefulGraph take(String configuration) {
        synchronized (IDLE) {
            while (!IDLE.isEmpty()) {
                Idle idle = IDLE.pop();
                if (idle.configuration.equals(configuration)) {
                    return idle.graph;
                }
                idle.graph.close();
            }
        }
        return new StatefulGraph(ComputationGraphConfiguration.fromJson(configuration));
    }
}
