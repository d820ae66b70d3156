package io.unroll.bench;

import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Trains networks in turn, again and again: a round measures the machine's peak and lets each system train a while. */
public final class Benchmark {
    private final int rounds;
    private final int threads;
    private final List<Integer> replicas;
    private final List<Peer> peers = new ArrayList<>();

    /**
     * @param rounds of which medians are taken
     * @param threads of a replica
     * @param replicas for each of which Unroll is measured; peers are measured with one
     */
    public Benchmark(int rounds, int threads, List<Integer> replicas) {
        this.rounds = rounds;
        this.threads = threads;
        this.replicas = replicas;
        peers.add(new UnrollPeer());
        ServiceLoader.load(Peer.class, Thread.currentThread().getContextClassLoader())
                .forEach(peers::add);
    }

    private record Entry(String peer, Case network, int replicas) {}

    /** @return the results of all systems with one cell and size, in float32 and bfloat16 where they have it */
    public List<Result> run(Settings.Cell cell, int hidden) {
        Map<Entry, Contestant> contestants = new LinkedHashMap<>();
        Map<Integer, Contestant> peaks = new LinkedHashMap<>();
        try {
            for (int count : replicas) {
                peaks.put(count, new Contestant(count, () -> new Peak(threads)));
            }
            for (Peer peer : peers) {
                for (Settings.Precision precision : Settings.Precision.values()) {
                    open(peer, new Case(cell, hidden, precision, threads), contestants);
                }
            }
            measure(List.copyOf(peaks.values()), List.copyOf(contestants.values()));
            List<Result> results = new ArrayList<>();
            contestants.forEach((entry, each) ->
                    results.add(result(entry, each, peaks.get(entry.replicas).tokensPerSecond())));
            return results;
        } finally {
            contestants.values().forEach(Contestant::close);
            peaks.values().forEach(Contestant::close);
        }
    }

    private void open(Peer peer, Case network, Map<Entry, Contestant> contestants) {
        int[][] tokens = tokens();
        for (int count : peer instanceof UnrollPeer ? replicas : List.of(1)) {
            if (peer.supports(network)) {
                contestants.put(
                        new Entry(peer.name(), network, count),
                        new Contestant(count, () -> peer.open(network, tokens)));
            }
        }
    }

    private static int[][] tokens() {
        SplittableRandom random = new SplittableRandom(1);
        return IntStream.range(0, Case.LANES)
                .mapToObj(
                        lane -> random.ints(Case.STEPS + 1, 0, Case.VOCABULARY).toArray())
                .toArray(int[][]::new);
    }

    /** The order within a round changes from one to the next, so that no system always follows the same other. */
    private void measure(List<Contestant> peaks, List<Contestant> contestants) {
        List<Contestant> all = new ArrayList<>(peaks);
        all.addAll(contestants);
        all.forEach(Contestant::warmUp);
        for (int round = 0; round < rounds; round++) {
            all.forEach(Contestant::turn);
            Collections.rotate(all, 1);
        }
    }

    private static Result result(Entry entry, Contestant contestant, double peak) {
        double tokensPerSecond = contestant.tokensPerSecond();
        double flops = entry.network.operations() / Case.TOKENS * tokensPerSecond;
        return new Result(
                entry.peer,
                entry.network,
                entry.replicas,
                tokensPerSecond,
                flops / 1e9,
                flops / (peak * Peak.OPERATIONS / Case.TOKENS),
                contestant.kernelShare());
    }
}
