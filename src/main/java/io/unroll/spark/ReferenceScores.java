package io.unroll.spark;

import io.unroll.checkpoint.Reference;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.BatchSource;
import io.unroll.chunk.Shard;
import io.unroll.chunk.Split;
import io.unroll.config.SettingNames;
import io.unroll.inference.TextInference;
import io.unroll.inference.TextInference.StoredScores;
import io.unroll.task.LanguageModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.apache.spark.broadcast.Broadcast;

/** Scores the rows that were held out from the training of a language model, which scores of other rows are compared with. */
final class ReferenceScores {
    /** The rows of these shards are enough, and they are a random sample: documents are stored in the order of hashes. */
    private static final int MAX_SHARDS = 25;
    /** Limits the memory of a task: surprisals and ranks of all tokens of a slice are in memory. */
    private static final int SLICE_TOKENS = 1 << 20;

    private ReferenceScores() {}

    /** @return the scores of the test part, or of the validation part if that is empty; empty if both are */
    static Optional<Reference> of(Session session, TrainedModel model, BatchSource corpus) {
        if (!(model.task() instanceof LanguageModel)) {
            return Optional.empty();
        }
        return of(session, model, corpus, Split.Part.TEST).or(() -> of(session, model, corpus, Split.Part.VALIDATION));
    }

    private static Optional<Reference> of(Session session, TrainedModel model, BatchSource corpus, Split.Part part) {
        List<Shard> shards = corpus.shards(part);
        shards = shards.subList(0, Math.min(MAX_SHARDS, shards.size()));
        String weights = UUID.randomUUID().toString();
        Broadcast<TextInference> inference = session.broadcast(new TextInference(model));
        try {
            var hadoop = session.hadoopBroadcast();
            List<List<StoredScores>> ofShards = session.map("train: score held-out rows", shards, shard -> {
                List<List<int[]>> slices =
                        slices(corpus.stored(shard, hadoop.value().value()), SLICE_TOKENS);
                return IdlePool.use(
                        List.of(inference.value().shape(), weights),
                        inference.value()::network,
                        network -> slices.stream()
                                .map(slice -> inference.value().scoreStored(network, slice))
                                .toList());
            });
            List<StoredScores> scores = ofShards.stream().flatMap(List::stream).toList();
            double[] all = scores.stream()
                    .flatMapToDouble(shard -> DoubleStream.of(shard.scores()))
                    .toArray();
            int[] ranks = scores.stream()
                    .flatMapToInt(shard -> IntStream.of(shard.ranks()))
                    .toArray();
            long tokens = scores.stream().mapToLong(StoredScores::tokens).sum();
            long unknown =
                    scores.stream().mapToLong(StoredScores::unknownTokens).sum();
            return all.length == 0
                    ? Optional.empty()
                    : Optional.of(Reference.of(SettingNames.kebab(part), all, ranks, (double) unknown / tokens));
        } finally {
            inference.destroy(true);
        }
    }

    /** @return the rows in lists, each of which ends with the row that reaches the number of tokens */
    static List<List<int[]>> slices(List<int[]> stored, int tokens) {
        List<List<int[]>> slices = new ArrayList<>();
        int first = 0;
        long size = 0;
        for (int i = 0; i < stored.size(); i++) {
            size += stored.get(i).length;
            if (size >= tokens || i == stored.size() - 1) {
                slices.add(stored.subList(first, i + 1));
                first = i + 1;
                size = 0;
            }
        }
        return slices;
    }
}
