package io.unroll.bench;

import io.unroll.config.UnrollException;
import io.unroll.model.Natives;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.commons.math3.stat.descriptive.rank.Median;

/** A system and a network under measurement: replicas that train in parallel, each on its own thread. */
final class Contestant implements AutoCloseable {
    private static final double SECONDS_PER_TURN = 0.5;

    private final ExecutorService threads;
    private final List<Peer.Step> replicas = new ArrayList<>();
    private final List<Double> tokensPerSecond = new ArrayList<>();
    private final List<Double> kernelShares = new ArrayList<>();
    private int steps = 1;

    Contestant(int replicas, Callable<Peer.Step> open) {
        threads = Executors.newFixedThreadPool(replicas);
        for (int i = 0; i < replicas; i++) {
            this.replicas.add(runAll(List.of(open)).get(0));
        }
    }

    /** Runs two turns that do not count, and sets the number of steps so that a turn takes half a second. */
    void warmUp() {
        runTurn();
        double seconds = steps * Case.TOKENS * replicas.size() / tokensPerSecond.get(0);
        steps = (int) Math.max(1, Math.round(SECONDS_PER_TURN / seconds));
        runTurn();
        tokensPerSecond.clear();
        kernelShares.clear();
    }

    /** Trains for some steps and measures the time. */
    void runTurn() {
        double kernelsBefore = kernelSeconds();
        long start = System.nanoTime();
        runAll(replicas.stream()
                .map(replica -> (Callable<Void>) () -> train(replica))
                .toList());
        double seconds = (System.nanoTime() - start) / 1e9;
        tokensPerSecond.add((double) steps * Case.TOKENS * replicas.size() / seconds);
        kernelShares.add((kernelSeconds() - kernelsBefore) / replicas.size() / seconds);
    }

    private Void train(Peer.Step replica) {
        for (int i = 0; i < steps; i++) {
            Natives.delayingShutdown(() -> {
                replica.run();
                return null;
            });
        }
        return null;
    }

    private double kernelSeconds() {
        return replicas.stream().mapToDouble(Peer.Step::kernelSeconds).sum();
    }

    private <T> List<T> runAll(List<Callable<T>> tasks) {
        List<T> results = new ArrayList<>();
        try {
            for (Future<T> future : threads.invokeAll(tasks)) {
                results.add(future.get());
            }
        } catch (ExecutionException e) {
            throw new UnrollException("the benchmark failed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnrollException("the benchmark was interrupted", e);
        }
        return results;
    }

    double tokensPerSecond() {
        return median(tokensPerSecond);
    }

    double kernelShare() {
        return median(kernelShares);
    }

    private static double median(List<Double> values) {
        return new Median()
                .evaluate(values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    @Override
    public void close() {
        runAll(replicas.stream()
                .map(replica -> (Callable<Void>) () -> {
                    replica.close();
                    return null;
                })
                .toList());
        threads.shutdown();
    }
}
