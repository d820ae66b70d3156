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

/**
 * Measures the training speed of several systems. Each round measures the peak speed of the machine ({@link Peak}) and
 * trains with each system for about half a second; the results are medians over the rounds, so that a slow moment of
 * the machine does not favour a system.
 */
public final class Benchmark {
    private final int rounds;
    private final int threads;
    private final List<Integer> replicas;
    private final List<Peer> peers = new ArrayList<>();

    /**
     * @param rounds number of measurements of each system
     * @param threads threads per replica
     * @param replicas numbers of replicas to measure Unroll with; other systems are measured with one replica
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

    /** @return the results of all systems for a cell type and size, in each precision that the system supports */
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
            contestants.forEach((entry, contestant) -> results.add(
                    result(entry, contestant, peaks.get(entry.replicas).tokensPerSecond())));
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

    /** Changes the order of the systems from round to round, so that no system always runs after the same one. */
    private void measure(List<Contestant> peaks, List<Contestant> contestants) {
        List<Contestant> all = new ArrayList<>(peaks);
        all.addAll(contestants);
        all.forEach(Contestant::warmUp);
        for (int round = 0; round < rounds; round++) {
            all.forEach(Contestant::runTurn);
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
