package io.unroll.cli;

import io.unroll.chunk.CorpusSize;
import io.unroll.chunk.Plan;
import io.unroll.train.Progress;
import io.unroll.train.RoundReport;
import java.time.Duration;
import java.util.Locale;

/**
 * Prints progress to stderr, one line per event.
 *
 * @param unit what the network predicts, such as {@code token}
 */
record ConsoleProgress(String unit) implements Progress {
    @Override
    public void waitingForLock(String why) {
        print("%s", why);
    }

    @Override
    public void prepared(String folder, CorpusSize size, boolean found) {
        print("corpus: %s, %s in %s", size, found ? "found" : "prepared", folder);
    }

    @Override
    public void planned(Plan plan) {
        print("plan: %s", plan);
    }

    @Override
    public void network(int parameters, long replicaBytes, boolean float32Instead) {
        print(
                "network: %,d parameters; a replica takes about %,d MiB outside the Java heap",
                parameters, (long) Math.ceil(replicaBytes / 1048576.0));
        if (float32Instead) {
            print("this processor has no bfloat16 instructions: training in float32"
                    + " (set model.emulate-bfloat16 = true to train in bfloat16, slowly)");
        }
    }

    @Override
    public void finished(String model) {
        print("this run is complete: %s was trained with this configuration and corpus and is unchanged", model);
    }

    @Override
    public void startsFrom(String model) {
        print("warm start from %s", model);
    }

    @Override
    public void resumed(String checkpoint, int round) {
        print("resuming after round %,d, from %s", round, checkpoint);
    }

    @Override
    public void damaged(String checkpoint, String problem) {
        print("%s is damaged and is ignored: %s", checkpoint, problem);
    }

    @Override
    public void round(RoundReport report) {
        print(
                "round %d/%d  epoch %d  loss %.4f%s  %,.0f %ss/s%s  %s left",
                report.round(),
                report.rounds(),
                report.epoch(),
                report.trainingLoss(),
                report.validationLoss() == null
                        ? ""
                        : String.format(Locale.ROOT, "  validation %.4f", report.validationLoss()),
                report.tokensPerSecond(),
                unit,
                report.paddingShare() == 0
                        ? ""
                        : String.format(Locale.ROOT, "  %.0f %% padding", 100 * report.paddingShare()),
                time(report.secondsLeft()));
    }

    @Override
    public void interrupted(int round) {
        print(
                round > 0
                        ? "interrupted; the checkpoint of round %,d is kept: run the same command again to resume"
                        : "interrupted before the first checkpoint: running the same command again starts from scratch",
                round);
    }

    private static String time(double seconds) {
        Duration left = Duration.ofSeconds(Math.round(seconds));
        return left.toHours() > 0
                ? String.format(Locale.ROOT, "%d:%02d h", left.toHours(), left.toMinutesPart())
                : String.format(Locale.ROOT, "%d:%02d min", left.toMinutes(), left.toSecondsPart());
    }

    private static void print(String format, Object... arguments) {
        System.err.printf(Locale.ROOT, format + "%n", arguments);
    }
}
