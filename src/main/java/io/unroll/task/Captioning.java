package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.chunk.SequenceType;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.ImageShape;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.storage.RowFiles;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounters;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;

/**
 * Writes a caption for an image (one-to-many). The convolutional encoder and the recurrent decoder are trained together
 * (Vinyals et al. 2015).
 */
record Captioning(Settings settings) implements Task {
    private static final String IMAGE = "image";
    private static final String CAPTION = "caption";
    /** Limits the output of a decoder that has not learned to emit the end token. */
    private static final int MAX_TOKENS = 1000;

    Captioning {
        Task.refuseAttention(settings);
        if (settings.corpus().images().isBlank()) {
            throw new ConfigurationException("corpus.images is not set; it must be the folder of the images.");
        }
    }

    @Override
    public Map<String, Vocabulary> vocabularyPrefixes() {
        return Map.of(Vocabularies.TOKENS, targets().untrained());
    }

    @Override
    public NetworkShape network(Vocabularies vocabularies) {
        NetworkShape decoder = new NetworkShape(settings, vocabularies.tokens().size());
        return decoder.withImage(startsWithImage() ? ImageShape.Place.FIRST_STEP : ImageShape.Place.INITIAL_STATE);
    }

    private boolean startsWithImage() {
        return settings.model().image().inject() == Settings.Inject.FIRST_STEP;
    }

    private TargetSequences targets() {
        return TargetSequences.of(settings.corpus(), settings.corpus().tokenizer(), startsWithImage() ? 1 : 0);
    }

    @Override
    public Optional<Examples> examples() {
        return Optional.of(new CaptionedExamples(
                targets(), imageReader(), settings.corpus().images()));
    }

    private ImageReader imageReader() {
        return new ImageReader(settings.model().image());
    }

    private record CaptionedExamples(TargetSequences targets, ImageReader imageReader, String images)
            implements TargetSequences.TargetExamples {
        @Override
        public List<String> columns() {
            return List.of(IMAGE, CAPTION);
        }

        @Override
        public void check(Configuration hadoop) {
            imageReader.check(hadoop);
        }

        @Override
        public void check(Row row) {
            TargetSequences.checkNotBlank(row, CAPTION);
            TargetSequences.checkNotBlank(row, IMAGE);
        }

        @Override
        public boolean readsFiles() {
            return true;
        }

        @Override
        public Sequence read(Row row, RowFiles files) {
            String name = row.value(IMAGE);
            try {
                return imageReader.read(files.read(name), name, files.hadoop());
            } catch (MalformedRowException e) {
                throw new MalformedRowException("its image cannot be used", e.getMessage());
            }
        }

        @Override
        public void count(Row row, SymbolCounters counters) {
            targets.untrained().count(row.value(CAPTION), counters.of(Vocabularies.TOKENS));
        }

        @Override
        public Example encode(Row row, Sequence image, Vocabularies vocabularies) {
            return new Example(image, TargetSequences.tokens(row.value(CAPTION), vocabularies.tokens()));
        }

        @Override
        public Example.Type type(Vocabularies vocabularies) {
            return new Example.Type(
                    imageReader.type(),
                    SequenceType.tokens(vocabularies.tokens().size()));
        }

        @Override
        public List<Object> cacheKey() {
            Settings.ImageInput image = imageReader.settings();
            return List.of(targets.key(), image.side(), image.features(), image.layer());
        }

        @Override
        public long extraBytesPerExample() {
            return imageReader.bytes();
        }

        @Override
        public List<Files> auxiliaryFiles() {
            Files folder = new Files("corpus.images", images, true);
            String network = imageReader.settings().network();
            return network.isBlank()
                    ? List.of(folder)
                    : List.of(folder, new Files("model.image.network", network, false));
        }

        @Override
        public String group(Row row) {
            return row.value(IMAGE);
        }
    }

    @Override
    public int[] textTokens(String text, Vocabularies vocabularies) {
        throw new ConfigurationException("a captioning model reads images, not texts.");
    }

    @Override
    public List<Answer> answers(Network network, int[][] sources, int beam) {
        return TargetSequences.search(beam).inFixedLanes().decode(network, sources, maxTokens(sources));
    }

    private static int[] maxTokens(int[][] sources) {
        int[] maxTokens = new int[sources.length];
        Arrays.fill(maxTokens, MAX_TOKENS);
        return maxTokens;
    }

    @Override
    public Score score(Network network, Batch batch, int beam) {
        Loss loss = network.evaluate(batch);
        List<Answer> answers =
                TargetSequences.search(beam).decode(network, batch.sources(), maxTokens(batch.sources()));
        Map<String, CaptionScore.Captions> images = new HashMap<>();
        for (int lane = 0; lane < batch.lanes(); lane++) {
            images.merge(
                    Image.hash(batch.sources()[lane]),
                    new CaptionScore.Captions(
                            answers.get(lane).tokens(), List.of(targets().reference(batch, lane))),
                    CaptionScore.Captions::plus);
        }
        return new CaptionScore(loss, images);
    }

    @Override
    public Map<String, Long> unknownTokens(Batch batch) {
        return Map.of(TargetSequences.UNKNOWN_TOKENS, TargetSequences.unknownTokens(IntStream.of(batch.targets())));
    }

    /** Returns none: a prompt consists of images. */
    @Override
    public List<String> unknownTokens(String prompt, Vocabularies vocabularies) {
        return List.of();
    }

    /** Writes the most probable caption of each image, one per line. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        if (prompt.images().isEmpty()) {
            throw new ConfigurationException("there is no image to caption: give it with --image.");
        }
        List<String> captions = new ArrayList<>();
        int tokens = 0;
        for (Prompt.File image : prompt.images()) {
            int[] answer = TargetSequences.search(prompt.beam())
                    .decode(network, new int[][] {read(image, prompt).toInts()}, new int[] {MAX_TOKENS})
                    .get(0)
                    .tokens();
            captions.add(vocabularies.tokens().decode(answer));
            tokens += answer.length;
        }
        out.write(String.join("\n", captions).getBytes(StandardCharsets.UTF_8));
        return tokens;
    }

    private Sequence read(Prompt.File image, Prompt prompt) {
        try {
            return imageReader().read(image.content(), image.name(), prompt.hadoop());
        } catch (MalformedRowException e) {
            throw new ConfigurationException("--image: " + e.getMessage() + ".", e);
        }
    }

    @Override
    public boolean usesBeamSearch() {
        return true;
    }
}
