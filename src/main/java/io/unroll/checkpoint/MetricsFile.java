package io.unroll.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import io.unroll.config.UnrollException;
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
 * {@code metrics.jsonl} in the run's folder: a JSON object for each round. Object stores cannot append, so the file is
 * written whole, beside, and renamed.
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
        // A name of its own: a driver that is taken for dead may still write.
        this.draft = new Path(directory, "." + NAME + "-" + UUID.randomUUID() + ".draft");
        this.fs = file.getFileSystem(hadoop);
    }

    /** @throws io.unroll.config.ConfigurationException where a file of that name is something else */
    void checkOwn() throws IOException {
        OwnFiles.METRICS.checkFile(fs, file);
    }

    /** @return what attempts that were killed have left half written, or written and not yet renamed */
    private List<Path> drafts() throws IOException {
        List<Path> drafts = new ArrayList<>();
        for (FileStatus each : fs.listStatus(file.getParent())) {
            if (!each.getPath().getName().equals(NAME) && OwnFiles.METRICS.made(fs, each)) {
                drafts.add(each.getPath());
            }
        }
        return drafts;
    }

    /**
     * @param model a run's folder, or its model's
     * @return a map for each round; empty where there is no such file
     */
    public static List<Map<String, Object>> beside(String model, Configuration hadoop) throws IOException {
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

    /** Takes over what an earlier attempt has written, up to the round that it goes on from. */
    public void resume(RoundReport last) throws IOException {
        List<Path> drafts = drafts();
        // An end between the deletion of the old file and the renaming of the new one leaves the draft alone.
        for (Path left : fs.exists(file) ? List.of(file) : drafts) {
            List<String> found = rounds(left, last.round());
            if (found.size() > lines.size()) {
                lines.clear();
                lines.addAll(found);
            }
        }
        add(last);
        for (Path left : drafts) {
            fs.delete(left, false);
        }
    }

    private List<String> rounds(Path from, int before) throws IOException {
        try (InputStream in = fs.open(from)) {
            return Arrays.stream(new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n"))
                    .filter(line -> round(line) < before)
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
            byte[] all = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
            DraftFile.write(fs, file, draft, out -> out.write(all));
        } catch (IOException e) {
            throw new UnrollException("cannot write " + file + ": " + DraftFile.reason(e), e);
        }
    }
}
