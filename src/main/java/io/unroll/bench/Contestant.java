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

/** One system with one network, in some replicas that train side by side, each on a thread of its own. */
final class Contestant implements AutoCloseable {
    private static final double SECONDS_A_TURN = 0.5;

    private final ExecutorService threads;
    private final List<Peer.Step> replicas = new ArrayList<>();
    private final List<Double> tokensPerSecond = new ArrayList<>();
    private final List<Double> kernelShares = new ArrayList<>();
    private int steps = 1;

    Contestant(int replicas, Callable<Peer.Step> open) {
        threads = Executors.newFixedThreadPool(replicas);
        for (int i = 0; i < replicas; i++) {
            this.replicas.add(all(List.of(open)).get(0));
        }
    }

    /** The first turns are not counted; they tell how many steps a turn should have. */
    void warmUp() {
        turn();
        double seconds = steps * Case.TOKENS * replicas.size() / tokensPerSecond.get(0);
        steps = (int) Math.max(1, Math.round(SECONDS_A_TURN / seconds));
        turn();
        tokensPerSecond.clear();
        kernelShares.clear();
    }

    void turn() {
        double kernelsBefore = kernelSeconds();
        long start = System.nanoTime();
        all(replicas.stream()
                .map(replica -> (Callable<Void>) () -> train(replica))
                .toList());
        double seconds = (System.nanoTime() - start) / 1e9;
        tokensPerSecond.add((double) steps * Case.TOKENS * replicas.size() / seconds);
        kernelShares.add((kernelSeconds() - kernelsBefore) / replicas.size() / seconds);
    }

    private Void train(Peer.Step replica) {
        for (int i = 0; i < steps; i++) {
            Natives.toItsEnd(() -> {
                replica.run();
                return null;
            });
        }
        return null;
    }

    private double kernelSeconds() {
        return replicas.stream().mapToDouble(Peer.Step::kernelSeconds).sum();
    }

    private <T> List<T> all(List<Callable<T>> work) {
        List<T> results = new ArrayList<>();
        try {
            for (Future<T> each : threads.invokeAll(work)) {
                results.add(each.get());
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
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    @Override
    public void close() {
        all(replicas.stream()
                .map(replica -> (Callable<Void>) () -> {
                    replica.close();
                    return null;
                })
                .toList());
        threads.shutdown();
    }
}
