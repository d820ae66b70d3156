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
            List<StoredScores> scores = session.map("train: score held-out rows", shards, shard -> {
                List<int[]> stored = corpus.stored(shard, hadoop.value().value());
                return IdlePool.use(
                        List.of(inference.value().shape(), weights),
                        inference.value()::network,
                        network -> inference.value().scoreStored(network, stored));
            });
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
}
