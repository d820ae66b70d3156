package io.unroll.spark;

import io.unroll.checkpoint.Model;
import io.unroll.chunk.Batch;
import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.TokenReader;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.RecurrentState;
import io.unroll.task.Task;
import io.unroll.text.CorpusFiles;
import io.unroll.text.Slice;
import io.unroll.text.SliceInput;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.broadcast.Broadcast;

/** Cross-entropy over a range of token files, or over texts; the same numbers on any cluster. */
public final class Evaluation {
    private static final int CONTEXT_BYTES = 4096;

    private final Session session;
    private final Settings.TaskName task;
    private final NetworkShape shape;
    private final int steps;

    private Evaluation(Session session, Settings settings, NetworkShape shape) {
        this.session = session;
        this.task = settings.task();
        this.shape = shape;
        this.steps = settings.training().tbptt();
    }

    /** @return the loss over a part of a prepared corpus, the first token of which is given */
    static Loss ofTokens(
            Session session,
            Settings settings,
            NetworkShape shape,
            float[] parameters,
            PreparedCorpus corpus,
            long start,
            long end) {
        Evaluation evaluation = new Evaluation(session, settings, shape);
        var hadoop = session.hadoopBroadcast();
        String folder = corpus.folder();
        var index = corpus.index();
        List<Range> shards = new ArrayList<>();
        for (long first = start + 1; first < end; first += EvaluationLanes.SHARD) {
            long context = Math.max(start, first - 1 - EvaluationLanes.WARM_UP);
            shards.add(new Range(context, first, Math.min(first + EvaluationLanes.SHARD, end)));
        }
        Broadcast<float[]> weights = session.broadcast(parameters);
        Loss loss = evaluation.sum("validate", shards, weights, shard -> {
            int[] tokens = new int[(int) (shard.end() - shard.context())];
            try (TokenReader reader =
                    new TokenReader(folder, index, hadoop.value().value())) {
                reader.read(shard.context(), tokens, 0, tokens.length);
            }
            return new Tokens(tokens, (int) (shard.first() - shard.context()));
        });
        weights.destroy();
        return loss;
    }

    /** @return the loss over the texts; the first token of each file is given */
    public static Loss ofTexts(Session session, Model model, List<String> paths) {
        return ofTexts(session, model, paths, EvaluationLanes.SHARD);
    }

    /** @param sliceBytes bytes that a task reads */
    static Loss ofTexts(Session session, Model model, List<String> paths, long sliceBytes) {
        List<Slice> slices = paths.stream()
                .flatMap(path -> CorpusFiles.parts(path, sliceBytes, session.hadoop()).stream())
                .flatMap(List::stream)
                .toList();
        var hadoop = session.hadoopBroadcast();
        Broadcast<Vocabulary> vocabulary = session.broadcast(model.vocabulary());
        Tokenizer tokenizer = model.tokenizer();
        return new Evaluation(session, model.settings(), model.shape())
                .sum(
                        "evaluate",
                        slices,
                        // Not destroyed: the session ends next, and Spark prints a trace where the one meets the other.
                        session.broadcast(model.parameters()),
                        slice -> read(
                                slice,
                                tokenizer,
                                vocabulary.value(),
                                hadoop.value().value()));
    }

    private record Range(long context, long first, long end) implements Serializable {}

    /** @param context tokens at the start that are given */
    private record Tokens(int[] tokens, int context) {}

    private interface Reader<I> extends Serializable {
        Tokens read(I input) throws IOException;
    }

    private <I> Loss sum(String description, List<I> inputs, Broadcast<float[]> weights, Reader<I> reader) {
        Settings.TaskName name = task;
        NetworkShape network = shape;
        int chunk = steps;
        return session
                .map(description, inputs, input -> {
                    Tokens tokens = reader.read(input);
                    return ExecutorNetworks.use(
                            network, each -> loss(each, weights.value(), Task.of(name), tokens, chunk));
                })
                .stream()
                .reduce(Loss.NONE, Loss::plus);
    }

    private static Loss loss(Network network, float[] parameters, Task task, Tokens tokens, int steps) {
        network.setParameters(parameters);
        network.setState(RecurrentState.ZERO);
        Loss loss = Loss.NONE;
        for (Batch batch : task.evaluation(tokens.tokens(), tokens.context()).batches(steps)) {
            loss = loss.plus(network.evaluate(batch));
        }
        return loss;
    }

    private static Tokens read(Slice slice, Tokenizer tokenizer, Vocabulary vocabulary, Configuration hadoop)
            throws IOException {
        int[] before = {};
        if (slice.start() > 0) {
            long bytes = CONTEXT_BYTES;
            do {
                long from = Math.max(0, slice.start() - bytes);
                before = encode(new Slice(slice.file(), from, slice.start(), false), tokenizer, vocabulary, hadoop);
                bytes *= 2;
            } while (before.length == 0 && bytes < 2 * slice.start());
        }
        int context = Math.min(before.length, EvaluationLanes.WARM_UP + 1);
        IntStream warm = IntStream.of(before).skip(before.length - (long) context);
        int[] own = encode(slice, tokenizer, vocabulary, hadoop);
        return new Tokens(IntStream.concat(warm, IntStream.of(own)).toArray(), context);
    }

    private static int[] encode(Slice slice, Tokenizer tokenizer, Vocabulary vocabulary, Configuration hadoop)
            throws IOException {
        IntStream.Builder tokens = IntStream.builder();
        try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
            tokenizer.encode(in, vocabulary, tokens);
        }
        return tokens.build().toArray();
    }
}
