package io.unroll.inference;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings.Pooling;
import io.unroll.config.UnrollException;
import io.unroll.inference.TextScore.Unscored;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.storage.RowFiles;
import io.unroll.task.Examples;
import io.unroll.task.LanguageModel;
import io.unroll.task.Task;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabulary;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.commons.collections4.ListUtils;

/**
 * Scores, predicts and embeds texts with networks of a model. A result depends on its text and the model, and for the
 * rows of a document on the rows before, but not on other texts: see {@link LaneRuns}. For any number of texts, but all of
 * them are in memory.
 */
public final class TextInference implements Serializable {
    private static final long serialVersionUID = 1;
    /** Texts in a batch of the output layer or of beam search. */
    private static final int LANES = 64;

    private static final int LANES_OF_SEARCH = 16;
    /** Maximum number of values that an encoder keeps for a source. */
    private static final int MAX_ENCODED = 1 << 20;

    private final TrainedModel model;
    private final Task task;
    private final NetworkShape shape;

    public TextInference(TrainedModel model) {
        this.model = model;
        this.task = model.task();
        this.shape = model.shape();
    }

    public NetworkShape shape() {
        return shape;
    }

    /** @return a network for the methods of this class */
    public Network network() {
        return model.network();
    }

    /**
     * Rows of a document, in order: all of them, or as many as are at hand.
     *
     * @param begins whether the document begins with the first row
     * @param ends whether the document ends with the last row
     * @param state after the rows before; null for zero
     */
    public record Session(List<String> rows, boolean begins, boolean ends, float[][] state) {}

    /**
     * @param scores of the rows
     * @param state after the last row
     * @param begins whether the document still begins: no row could be read
     */
    public record ScoredSession(List<TextScore> scores, float[][] state, boolean begins) {}

    /** @throws ConfigurationException if the model is not a language model */
    public LanguageModel languageModel() {
        if (task instanceof LanguageModel languageModel) {
            return languageModel;
        }
        throw new ConfigurationException("the model has task = "
                + SettingNames.kebab(model.settings().task()) + ", but score needs a language model: use predict.");
    }

    /**
     * Scores texts, each from the zero state, as documents of one row.
     *
     * @param keepsBits whether the scores have the surprisal of each token
     */
    public List<TextScore> score(Network network, List<String> texts, boolean keepsBits) {
        List<Scored> scored =
                texts.stream().map(text -> scored(text, true, true, keepsBits)).toList();
        run(
                network,
                scored.stream()
                        .flatMap(text -> text.reader.stream())
                        .map(reader -> LaneRuns.Run.alone(reader.inputs(), reader))
                        .toList());
        return scored.stream().map(this::score).toList();
    }

    /**
     * Scores of rows that normal rows are compared with.
     *
     * @param scores bits per token of each row
     * @param ranks the largest rank of a token of each row
     */
    public record StoredScores(double[] scores, int[] ranks, long tokens, long unknownTokens) implements Serializable {}

    /** Scores the rows of a prepared corpus: documents, or pieces of a text that is one document. */
    public StoredScores scoreStored(Network network, List<int[]> stored) {
        LanguageModel languageModel = languageModel();
        Tokenizer tokenizer = model.vocabularies().tokens();
        List<ScoreReader> readers = stored.stream()
                .flatMap(tokens -> languageModel.storedRows(tokens, tokenizer).stream())
                .map(tokens -> new ScoreReader(tokens, tokenizer.size(), true))
                .toList();
        run(
                network,
                readers.stream()
                        .map(reader -> LaneRuns.Run.alone(reader.inputs(), reader))
                        .toList());
        List<ScoreReader.RowScore> rows = readers.stream()
                .flatMap(reader -> reader.rowScores(languageModel::separatesRows).stream())
                .toList();
        return new StoredScores(
                rows.stream().mapToDouble(ScoreReader.RowScore::bits).toArray(),
                rows.stream().mapToInt(ScoreReader.RowScore::maxRank).toArray(),
                readers.stream().mapToLong(ScoreReader::tokens).sum(),
                readers.stream()
                        .mapToLong(reader -> reader.unknownTokens(languageModel))
                        .sum());
    }

    /** Scores the rows of documents: the state is carried from row to row. */
    public List<ScoredSession> scoreSessions(Network network, List<Session> sessions, boolean keepsBits) {
        List<List<Scored>> scored = new ArrayList<>();
        List<LaneRuns.Run> firsts = new ArrayList<>();
        List<Optional<LaneRuns.Run>> lasts = new ArrayList<>();
        for (Session session : sessions) {
            List<Scored> rows = scored(session, keepsBits);
            Optional<LaneRuns.Run> last = Optional.empty();
            LaneRuns.Run run = null;
            List<ScoreReader> readers =
                    rows.stream().flatMap(row -> row.reader.stream()).toList();
            for (int i = readers.size() - 1; i >= 0; i--) {
                ScoreReader reader = readers.get(i);
                run = LaneRuns.Run.withState(reader.inputs(), reader, i == 0 ? session.state : null, run);
                last = last.isEmpty() ? Optional.of(run) : last;
            }
            if (run != null) {
                firsts.add(run);
            }
            scored.add(rows);
            lasts.add(last);
        }
        run(network, firsts);
        List<ScoredSession> results = new ArrayList<>();
        for (int i = 0; i < sessions.size(); i++) {
            Session session = sessions.get(i);
            results.add(new ScoredSession(
                    scored.get(i).stream().map(this::score).toList(),
                    lasts.get(i).map(LaneRuns.Run::state).orElse(session.state),
                    session.begins && lasts.get(i).isEmpty()));
        }
        return results;
    }

    /** A text that is being scored: it has a reader, or a reason why it has none. */
    private record Scored(String text, Optional<ScoreReader> reader, Unscored unscored) {}

    private List<Scored> scored(Session session, boolean keepsBits) {
        int last = session.rows.size() - 1;
        List<Scored> rows = new ArrayList<>();
        boolean first = session.begins;
        for (int i = 0; i < session.rows.size(); i++) {
            Scored row = scored(session.rows.get(i), first, session.ends && i == last, keepsBits);
            first &= row.reader.isEmpty();
            rows.add(row);
        }
        return rows;
    }

    private Scored scored(String text, boolean first, boolean last, boolean keepsBits) {
        Unscored unscored = unscored(text);
        if (unscored != null) {
            return new Scored(text, Optional.empty(), unscored);
        }
        Tokenizer tokenizer = model.vocabularies().tokens();
        try {
            int[] tokens = languageModel().rowTokens(text, first, last, tokenizer);
            return new Scored(text, Optional.of(new ScoreReader(tokens, tokenizer.size(), keepsBits)), null);
        } catch (UnrollException e) {
            // An unknown symbol, or a word without an end.
            return new Scored(text, Optional.empty(), Unscored.MALFORMED);
        }
    }

    /** @return whether the row of a document has a score */
    public boolean isReadable(String text) {
        return scored(text, true, true, false).reader.isPresent();
    }

    private TextScore score(Scored text) {
        return text.reader
                .map(reader ->
                        reader.score(languageModel(), model.vocabularies().tokens(), text.text))
                .orElseGet(() -> TextScore.unscored(text.unscored));
    }

    private void run(Network network, List<LaneRuns.Run> runs) {
        new LaneRuns(network, shape, network::logProbabilities, shape.outputs()).run(runs);
    }

    /** @return null if the text can be read */
    private static Unscored unscored(String text) {
        if (text == null) {
            return Unscored.NULL;
        }
        if (text.isBlank()) {
            return Unscored.EMPTY;
        }
        if (text.length() > Row.MAX_CHARACTERS) {
            return Unscored.TOO_LONG;
        }
        try {
            new Row("", Row.UNNUMBERED, Map.of("text", text)).value("text");
            return null;
        } catch (MalformedRowException e) {
            return Unscored.MALFORMED;
        }
    }

    /**
     * Predicts the label or the target of texts.
     *
     * @param beam width of the beam search; 1 is greedy decoding
     * @throws ConfigurationException if the model predicts neither
     */
    public List<TextPrediction> predict(Network network, List<String> texts, int beam) {
        Optional<Vocabulary> labels = task.labels(model.vocabularies());
        return forReadable(
                texts,
                readable ->
                        labels.isPresent() ? labels(network, readable, labels.get()) : answers(network, readable, beam),
                TextPrediction::unscored);
    }

    private List<TextPrediction> labels(Network network, List<int[]> texts, Vocabulary labels) {
        List<float[]> vectors = pooled(network, texts, model.settings().model().pooling());
        int size = shape.model().hidden();
        List<TextPrediction> predictions = new ArrayList<>();
        for (int from = 0; from < vectors.size(); from += LANES) {
            List<float[]> lanes = vectors.subList(from, Math.min(vectors.size(), from + LANES));
            float[] pooled = new float[LANES * size];
            for (int i = 0; i < lanes.size(); i++) {
                System.arraycopy(lanes.get(i), 0, pooled, i * size, size);
            }
            float[] logProbabilities = network.logProbabilitiesOfPooled(pooled);
            for (int i = 0; i < lanes.size(); i++) {
                predictions.add(label(logProbabilities, i * labels.size(), labels));
            }
        }
        return predictions;
    }

    private static TextPrediction label(float[] logProbabilities, int from, Vocabulary labels) {
        int best = 0;
        Map<String, Double> probabilities = new LinkedHashMap<>();
        for (int label = 0; label < labels.size(); label++) {
            best = logProbabilities[from + label] > logProbabilities[from + best] ? label : best;
            probabilities.put(labels.symbol(label), Math.exp(logProbabilities[from + label]));
        }
        return new TextPrediction(labels.symbol(best), logProbabilities[from + best], probabilities, null);
    }

    /**
     * Predicts captions of images.
     *
     * @param names of the images, as rows name them
     * @param files reads the images
     * @throws ConfigurationException if the model reads no images
     */
    public List<TextPrediction> predictImages(Network network, List<String> names, RowFiles files, int beam) {
        List<int[]> images = new ArrayList<>();
        List<Unscored> problems = new ArrayList<>();
        for (String name : names) {
            Unscored problem = unscored(name);
            try {
                if (problem == null) {
                    images.add(image(name, files));
                }
            } catch (MalformedRowException e) {
                problem = Unscored.MALFORMED;
            }
            problems.add(problem);
        }
        Iterator<TextPrediction> captions = answers(network, images, beam).iterator();
        return problems.stream()
                .map(problem -> problem == null ? captions.next() : TextPrediction.unscored(problem))
                .toList();
    }

    private int[] image(String name, RowFiles files) {
        Examples examples = task.examples().orElseThrow();
        Row row = new Row("", Row.UNNUMBERED, Map.of(inputField(), name));
        return examples.read(row, files).toInts();
    }

    /** @return the field of a row that the network reads: text, source or image */
    public String inputField() {
        return task.examples().map(examples -> examples.columns().get(0)).orElse("text");
    }

    public boolean readsImages() {
        return task.examples().filter(Examples::readsFiles).isPresent();
    }

    /** @param sources tokens of texts, or images */
    private List<TextPrediction> answers(Network network, List<int[]> sources, int beam) {
        return inBatches(sources, Math.max(1, LANES_OF_SEARCH / beam), batch -> task.answers(network, batch, beam))
                .stream()
                .map(this::prediction)
                .toList();
    }

    /**
     * Computes in batches of a fixed number of sources of equal length; the first one fills the lanes that are left over.
     *
     * @param batchLanes number of sources of a batch
     * @param compute returns a result for each source of a batch
     */
    private static <T> List<T> inBatches(List<int[]> sources, int batchLanes, Function<int[][], List<T>> compute) {
        Map<Integer, List<Integer>> byLength = new TreeMap<>();
        for (int i = 0; i < sources.size(); i++) {
            byLength.computeIfAbsent(sources.get(i).length, any -> new ArrayList<>())
                    .add(i);
        }
        List<T> results = new ArrayList<>(Collections.nCopies(sources.size(), null));
        byLength.values().stream()
                .flatMap(equal -> ListUtils.partition(equal, batchLanes).stream())
                .forEach(lanes -> {
                    int[][] batch = new int[batchLanes][];
                    Arrays.setAll(batch, lane -> sources.get(lanes.get(lane < lanes.size() ? lane : 0)));
                    List<T> ofBatch = compute.apply(batch);
                    for (int lane = 0; lane < lanes.size(); lane++) {
                        results.set(lanes.get(lane), ofBatch.get(lane));
                    }
                });
        return results;
    }

    private TextPrediction prediction(Task.Answer answer) {
        String text = model.vocabularies().tokens().decode(answer.tokens());
        return new TextPrediction(text, answer.logProbability(), Map.of(), null);
    }

    /**
     * Reduces texts to vectors of {@code model.hidden} numbers: the states of the highest recurrent layer. A seq2seq
     * model has only the last state of the source.
     *
     * @throws ConfigurationException if the model reads no text
     */
    public List<TextVector> embed(Network network, List<String> texts, Pooling pooling) {
        return forReadable(
                texts,
                readable -> vectors(network, readable, pooling).stream()
                        .map(vector -> new TextVector(vector, null))
                        .toList(),
                reason -> new TextVector(null, reason));
    }

    private List<float[]> vectors(Network network, List<int[]> texts, Pooling pooling) {
        if (!task.usesBeamSearch()) {
            return pooled(network, texts, pooling);
        }
        if (pooling != Pooling.LAST) {
            throw new ConfigurationException(
                    "a seq2seq model embeds a text as the last state of its encoder: give" + " --pooling last.");
        }
        return inBatches(texts, LANES_OF_SEARCH, batch -> {
            network.encode(batch);
            float[][] state = network.state().arrays();
            return lanes(state[state.length - state.length / shape.model().layers()]);
        });
    }

    /** @return the rows of {@code [lanes, hidden]} */
    private List<float[]> lanes(float[] states) {
        int size = shape.model().hidden();
        return IntStream.range(0, states.length / size)
                .mapToObj(lane -> Arrays.copyOfRange(states, lane * size, (lane + 1) * size))
                .toList();
    }

    private List<float[]> pooled(Network network, List<int[]> texts, Pooling pooling) {
        int size = shape.model().hidden();
        List<PooledStates> readers = new ArrayList<>();
        List<LaneRuns.Run> runs = new ArrayList<>();
        for (int[] tokens : texts) {
            PooledStates reader = new PooledStates(pooling, tokens.length, size);
            readers.add(reader);
            runs.add(LaneRuns.Run.alone(tokens, reader));
        }
        new LaneRuns(network, shape, network::hiddenStates, size).run(runs);
        return readers.stream().map(PooledStates::vector).toList();
    }

    /** Applies a function to the tokens of the texts that can be read. */
    private <T> List<T> forReadable(
            List<String> texts, Function<List<int[]>, List<T>> use, Function<Unscored, T> unreadable) {
        List<Unscored> problems = new ArrayList<>();
        List<int[]> readable = new ArrayList<>();
        for (String text : texts) {
            Unscored problem = unscored(text);
            if (problem == null) {
                int[] tokens = tokens(text);
                problem = problem(tokens);
                if (problem == null) {
                    readable.add(tokens);
                }
            }
            problems.add(problem);
        }
        Iterator<T> used = use.apply(readable).iterator();
        List<T> results = new ArrayList<>();
        problems.forEach(problem -> results.add(problem == null ? used.next() : unreadable.apply(problem)));
        return results;
    }

    /** @return null if the text has an unknown symbol, or a word without an end */
    private int[] tokens(String text) {
        try {
            return task.textTokens(text, model.vocabularies());
        } catch (ConfigurationException e) {
            throw e;
        } catch (UnrollException e) {
            return null;
        }
    }

    private Unscored problem(int[] tokens) {
        if (tokens == null) {
            return Unscored.MALFORMED;
        }
        if (tokens.length == 0) {
            return Unscored.EMPTY;
        }
        // An encoder keeps the states of all steps.
        long maxSource = MAX_ENCODED / shape.model().hidden();
        return task.usesBeamSearch() && tokens.length > maxSource ? Unscored.TOO_LONG : null;
    }
}
