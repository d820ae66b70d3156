package io.unroll.spark.dl4j;

import io.unroll.model.StatefulGraph;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;

/** The networks of this process, which tasks use one after the other: as many as tasks have run at once. */
final class IdleGraphs {
    private static final Deque<Idle> IDLE = new ArrayDeque<>();

    private IdleGraphs() {}

    private record Idle(String configuration, StatefulGraph graph) {}

    /** @param use gets a network of this configuration, whose weights and state are whatever the last task left */
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
