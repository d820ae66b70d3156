package io.unroll.cli;

import static io.unroll.config.ConfigurationException.check;

import io.unroll.bench.Benchmark;
import io.unroll.bench.Result;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "bench",
        description = "Measures the speed of a training step on this machine: embedding, two recurrent layers, softmax "
                + "over 96 tokens, 64 lanes x 64 steps; forward, backward, clipping and Adam. GFLOP/s = 6 x parameters "
                + "outside the embedding x tokens / time.",
        footer = "Columns: peak share = GFLOP/s / the peak, which is measured with large float32 matrix products; "
                + "in kernels = share of the time in oneDNN and OpenBLAS; unroll x = tokens/s of Unroll in float32 with "
                + "one replica / tokens/s of this row.",
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    private static final int MAX_HIDDEN = 65_536;
    private static final String HEADER =
            "cell  hidden  system          precision replicas     tokens/s   GFLOP/s peak share  in kernels  unroll x";

    @Option(
            names = "--cells",
            split = ",",
            paramLabel = "CELL",
            defaultValue = "rnn,lstm,gru",
            description = "Cells to measure (default: ${DEFAULT-VALUE}).")
    private List<Settings.Cell> cells;

    @Option(
            names = "--hidden",
            split = ",",
            paramLabel = "H",
            defaultValue = "128,256,512,1024",
            description = "Hidden sizes of the layers (default: ${DEFAULT-VALUE}).")
    private List<Integer> sizes;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "1",
            description = "Processor threads of a replica (default: ${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "1",
            description = "Number of replicas that also train in parallel, in one process (default: ${DEFAULT-VALUE}).")
    private int replicas;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Number of rounds; each measures every system once, and the result is the median (default: "
                    + "${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--json", description = "Print the results as a JSON array, on the last line.")
    private boolean json;

    @Override
    public Integer call() {
        if (cells.isEmpty() || sizes.isEmpty()) {
            throw new ConfigurationException("--cells and --hidden must have at least one value each.");
        }
        check(threads >= 1, "--threads", threads, "1 or more");
        check(replicas >= 1, "--replicas", replicas, "1 or more");
        check(rounds >= 1, "--rounds", rounds, "1 or more");
        for (int size : sizes) {
            check(size >= 1, "--hidden", size, "1 or more");
            check(size <= MAX_HIDDEN, "--hidden", size, "from 1 to " + MAX_HIDDEN);
        }
        int cores = Runtime.getRuntime().availableProcessors();
        if ((long) threads * replicas > cores) {
            throw new ConfigurationException("--threads " + threads + " x --replicas " + replicas + " exceeds the "
                    + cores + " cores of this machine: reduce one of them.");
        }
        List<Integer> replicaCounts =
                IntStream.of(1, replicas).distinct().boxed().toList();
        Benchmark benchmark = new Benchmark(rounds, threads, replicaCounts);
        List<Map<String, Object>> rows = new ArrayList<>();
        if (!json) {
            System.out.println(HEADER);
        }
        for (Settings.Cell cell : cells) {
            for (int size : sizes) {
                List<Result> results = benchmark.run(cell, size);
                for (Result result : results) {
                    rows.add(fields(result));
                    if (!json) {
                        print(result, results.get(0));
                    }
                }
            }
        }
        if (json) {
            System.out.println(JsonLine.of(rows));
        }
        return 0;
    }

    /** @param reference the result of Unroll in float32 with one replica */
    private static void print(Result result, Result reference) {
        System.out.printf(
                Locale.ROOT,
                "%-5s %6d  %-15s %-9s %8d %,12.0f %9.1f %10.2f %11s %9.2f%n",
                SettingNames.kebab(result.network().cell()),
                result.network().hidden(),
                result.peer(),
                SettingNames.kebab(result.network().precision()),
                result.replicas(),
                result.tokensPerSecond(),
                result.gflops(),
                result.peakShare(),
                Double.isNaN(result.kernelShare()) ? "" : String.format(Locale.ROOT, "%.2f", result.kernelShare()),
                reference.tokensPerSecond() / result.tokensPerSecond());
    }

    private static Map<String, Object> fields(Result result) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("peer", result.peer());
        fields.put("cell", SettingNames.kebab(result.network().cell()));
        fields.put("hidden", result.network().hidden());
        fields.put("precision", SettingNames.kebab(result.network().precision()));
        fields.put("threads", result.network().threads());
        fields.put("replicas", result.replicas());
        fields.put("tokens_per_second", result.tokensPerSecond());
        fields.put("gflops", result.gflops());
        fields.put("peak_share", result.peakShare());
        fields.put("kernel_share", Double.isNaN(result.kernelShare()) ? null : result.kernelShare());
        return fields;
    }
}
