package io.unroll.peers;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.spark.AnomalyRule;
import io.unroll.spark.Evaluation;
import io.unroll.spark.ScoreJob;
import io.unroll.spark.Session;
import io.unroll.spark.TableOutput;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Compares the speed of {@code score} with that of {@code evaluate}, in turns, for the lines of a text file as documents of
 * a language model. Both read the lines, encode and predict the same tokens; the scores are computed, but not stored.
 */
public final class ScoreBenchmark {
    private ScoreBenchmark() {}

    /** @param args a model of {@code corpus.documents = reset} and {@code corpus.format = lines}, a file, a number of turns */
    public static void main(String[] args) throws IOException {
        try (Session session = Session.start("score benchmark", 1)) {
            TrainedModel model = new ModelFolder(args[0], session.hadoop()).read();
            int turns = args.length > 2 ? Integer.parseInt(args[2]) : 3;
            System.out.printf("%5s %20s %20s %8s%n", "turn", "evaluate, tokens/s", "score, tokens/s", "ratio");
            for (int turn = 1; turn <= turns; turn++) {
                long start = System.nanoTime();
                long tokens = Evaluation.of(session, model, List.of(args[1]), 1)
                        .orElseThrow()
                        .loss()
                        .tokens();
                long evaluated = System.nanoTime();
                score(session, model, args[1]);
                long scored = System.nanoTime();
                double evaluateSeconds = (evaluated - start) / 1e9;
                double scoreSeconds = (scored - evaluated) / 1e9;
                System.out.printf(
                        Locale.ROOT,
                        "%5d %20.0f %20.0f %8.2f%n",
                        turn,
                        tokens / evaluateSeconds,
                        tokens / scoreSeconds,
                        evaluateSeconds / scoreSeconds);
            }
        }
    }

    private static void score(Session session, TrainedModel model, String path) {
        TableOutput nowhere = new TableOutput("ignored", "", "noop", TableOutput.Mode.OVERWRITE, List.of());
        try (ScoreJob job = new ScoreJob(session, model, Optional.empty(), Optional.empty())) {
            AnomalyRule rule = new AnomalyRule(AnomalyRule.By.RANK, 9.0);
            job.score(job.read(List.of(path), nowhere, "", false), nowhere, rule, Optional.empty(), "", false);
        }
    }
}
