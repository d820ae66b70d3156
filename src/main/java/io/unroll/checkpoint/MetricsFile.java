package io.unroll.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import io.unroll.config.UnrollException;
import io.unroll.storage.AtomicFile;
import io.unroll.storage.UnrollFiles;
import io.unroll.train.RoundReport;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * {@code metrics.jsonl} in the run's folder: one JSON object per line and round. Object stores cannot append to a file,
 * so each round rewrites the file under a temporary name and renames it.
 */
public final class MetricsFile {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private static final String NAME = "metrics.jsonl";

    private final Path file;
    private final Path draft;
    private final FileSystem fs;
    private final List<String> lines = new ArrayList<>();

    public MetricsFile(String directory, Configuration hadoop) throws IOException {
        this.file = new Path(directory, NAME);
        // A unique name, because a driver whose lock was taken over may still be writing.
        this.draft = new Path(directory, "." + NAME + "-" + UUID.randomUUID() + ".draft");
        this.fs = file.getFileSystem(hadoop);
    }

    /** @throws io.unroll.config.ConfigurationException if a file of that name was not written by Unroll */
    void checkNoForeignFiles() throws IOException {
        UnrollFiles.METRICS.checkFile(fs, file);
    }

    /** @return drafts that killed attempts left behind, partly written or not yet renamed */
    private List<Path> drafts() throws IOException {
        List<Path> drafts = new ArrayList<>();
        for (FileStatus candidate : fs.listStatus(file.getParent())) {
            if (!candidate.getPath().getName().equals(NAME) && UnrollFiles.METRICS.isWrittenByUnroll(fs, candidate)) {
                drafts.add(candidate.getPath());
            }
        }
        return drafts;
    }

    /**
     * Reads the metrics of the run that a model comes from.
     *
     * @param model folder of a run, or of the model in it
     * @return a map per round; empty if there is no {@code metrics.jsonl}
     */
    public static List<Map<String, Object>> ofModel(String model, Configuration hadoop) throws IOException {
        List<Map<String, Object>> rounds = new ArrayList<>();
        for (Path folder : List.of(new Path(model), new Path(model, ".."))) {
            Path file = new Path(folder, NAME);
            FileSystem fs = file.getFileSystem(hadoop);
            if (rounds.isEmpty() && fs.exists(file)) {
                try (InputStream in = fs.open(file);
                        MappingIterator<Map<String, Object>> lines =
                                MAPPER.readerForMapOf(Object.class).readValues(in)) {
                    rounds.addAll(lines.readAll());
                }
            }
        }
        return rounds;
    }

    /**
     * Keeps the lines that an earlier attempt wrote up to the round of the checkpoint, and deletes its drafts.
     *
     * @param last report stored in the checkpoint
     */
    public void resume(RoundReport last) {
        try {
            List<Path> drafts = drafts();
            // If the process died between deleting the old file and renaming the new one, only the draft exists.
            for (Path source : fs.exists(file) ? List.of(file) : drafts) {
                List<String> found = linesBefore(last.round(), source);
                if (found.size() > lines.size()) {
                    lines.clear();
                    lines.addAll(found);
                }
            }
            add(last);
            for (Path draftOfEarlierAttempt : drafts) {
                fs.delete(draftOfEarlierAttempt, false);
            }
        } catch (IOException e) {
            throw new UnrollException("cannot read " + file + ": " + AtomicFile.reason(e), e);
        }
    }

    private List<String> linesBefore(int endRound, Path source) throws IOException {
        try (InputStream in = fs.open(source)) {
            return Arrays.stream(new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n"))
                    .filter(line -> round(line) < endRound)
                    .toList();
        }
    }

    private static int round(String line) {
        try {
            JsonNode round = MAPPER.readTree(line).path("round");
            return round.isInt() ? round.asInt() : Integer.MAX_VALUE;
        } catch (JsonProcessingException e) {
            return Integer.MAX_VALUE;
        }
    }

    public void add(RoundReport report) {
        try {
            lines.add(MAPPER.writeValueAsString(report));
            byte[] content = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
            AtomicFile.write(fs, file, draft, out -> out.write(content));
        } catch (IOException e) {
            throw new UnrollException("cannot write " + file + ": " + AtomicFile.reason(e), e);
        }
    }
}
