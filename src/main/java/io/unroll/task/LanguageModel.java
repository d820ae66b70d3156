package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.chunk.SequenceType;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.LineInput;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounter;
import io.unroll.text.SymbolCounters;
import io.unroll.text.TextInput;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.lang3.ArrayUtils;

/** Predicts the next token of a text: of the entire corpus, or of documents, which have a start and an end. */
public record LanguageModel(Settings settings) implements Task {
    private static final String ROW_SEPARATOR = Character.toString(Row.SEPARATOR);

    public LanguageModel {
        Task.refuseAttention(settings);
    }

    @Override
    public Map<String, Vocabulary> vocabularyPrefixes() {
        Tokenizer untrained = hasDocuments() ? documents().targets().untrained() : Tokenizer.ofText(settings.corpus());
        return Map.of(Vocabularies.TOKENS, untrained);
    }

    @Override
    public boolean scoresDependOnSymbols() {
        return hasUnknown();
    }

    @Override
    public NetworkShape network(Vocabularies vocabularies) {
        return new NetworkShape(settings, vocabularies.tokens().size());
    }

    private boolean hasDocuments() {
        return settings.corpus().hasDocuments();
    }

    private DocumentExamples documents() {
        Settings.Corpus corpus = settings.corpus();
        String[] special = separates() ? new String[] {DocumentExamples.SEPARATOR} : new String[0];
        return new DocumentExamples(TargetSequences.of(corpus, corpus.tokenizer(), 0, special), separates());
    }

    /** @return whether a document has several rows, which are separated by a token */
    public boolean separates() {
        return !settings.corpus().columns().get("document").isBlank();
    }

    /** Rows that form one text are only checked, not encoded. */
    @Override
    public Optional<Examples> examples() {
        return hasDocuments() || !settings.corpus().isPlainText() ? Optional.of(documents()) : Optional.empty();
    }

    /** @param separates whether the rows of a document are separated by a token */
    private record DocumentExamples(TargetSequences targets, boolean separates)
            implements TargetSequences.TargetExamples {
        private static final String TEXT = "text";
        private static final String SEPARATOR = "<sep>";
        private static final int SEPARATOR_TOKEN = 3;

        @Override
        public List<String> columns() {
            return List.of(TEXT);
        }

        @Override
        public void count(Row row, SymbolCounters counters) {
            SymbolCounter symbols = counters.of(Vocabularies.TOKENS);
            String text = row.value(TEXT);
            for (String part : separates ? text.split(ROW_SEPARATOR, -1) : new String[] {text}) {
                targets.untrained().count(part, symbols);
            }
        }

        @Override
        public Example encode(Row row, Sequence content, Vocabularies vocabularies) {
            return new Example(Sequence.NONE, tokens(row.value(TEXT), vocabularies.tokens()));
        }

        int[] tokens(String text, Tokenizer tokenizer) {
            return separates ? separatedTokens(text, tokenizer) : textTokens(text, tokenizer);
        }

        private int[] separatedTokens(String text, Tokenizer tokenizer) {
            IntStream.Builder tokens = IntStream.builder();
            for (String row : text.split(ROW_SEPARATOR, -1)) {
                IntStream.of(textTokens(row, tokenizer)).forEach(tokens);
                tokens.accept(SEPARATOR_TOKEN);
            }
            int[] all = tokens.build().toArray();
            return Arrays.copyOf(all, all.length - 1);
        }

        private int[] textTokens(String text, Tokenizer tokenizer) {
            int[] tokens = tokenizer.encode(text);
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = textToken(tokens[i]);
            }
            return tokens;
        }

        /** Keeps a text that contains the word {@code <sep>} from producing the token. */
        int textToken(int token) {
            return isSeparator(token) ? TargetSequences.UNKNOWN_TOKEN : TargetSequences.unknownIfSpecial(token);
        }

        boolean isSeparator(int token) {
            return separates && token == SEPARATOR_TOKEN;
        }

        @Override
        public Example.Type type(Vocabularies vocabularies) {
            return new Example.Type(
                    SequenceType.NONE, SequenceType.tokens(vocabularies.tokens().size()));
        }

        @Override
        public List<Object> cacheKey() {
            return List.of(targets.key(), separates);
        }

        @Override
        public String group(Row row) {
            return row.value(TEXT);
        }

        @Override
        public int maxSteps(int tbptt) {
            return tbptt;
        }
    }

    /** Returns the tokens of a document that is one row, without its end. */
    @Override
    public int[] textTokens(String text, Vocabularies vocabularies) {
        int[] tokens = rowTokens(text, true, true, vocabularies.tokens());
        return Arrays.copyOf(tokens, tokens.length - 1);
    }

    @Override
    public Score score(Network network, Batch batch, int beam) {
        return new TextScore(network.evaluate(batch));
    }

    @Override
    public Map<String, Long> unknownTokens(Batch batch) {
        return hasUnknown()
                ? Map.of(TargetSequences.UNKNOWN_TOKENS, TargetSequences.unknownTokens(IntStream.of(batch.targets())))
                : Map.of();
    }

    @Override
    public List<String> unknownTokens(String prompt, Vocabularies vocabularies) {
        return hasUnknown()
                ? rows(prompt)
                        .flatMap(row -> vocabularies.tokens().unknownSymbols(row).stream())
                        .toList()
                : List.of();
    }

    /** @return the rows of a document that a user wrote: its lines if a document has several rows */
    private Stream<String> rows(String text) {
        return separates() ? Stream.of(text.split("\\R", -1)) : Stream.of(text);
    }

    private boolean hasUnknown() {
        return vocabularyPrefixes().get(Vocabularies.TOKENS).id(Vocabulary.UNKNOWN) >= 0;
    }

    private record TextScore(Loss loss) implements Score {
        @Override
        public Score plus(Score other) {
            return new TextScore(loss.plus(other.loss()));
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            Map<String, Object> metrics = new LinkedHashMap<>();
            metrics.put("tokens", loss.tokens());
            metrics.put("cross_entropy", loss.mean());
            metrics.put("bits_per_token", loss.mean() / Math.log(2));
            metrics.put("perplexity", Math.exp(loss.mean()));
            return metrics;
        }
    }

    /** Writes the prompt and its continuation, token by token; a document is continued until its end. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        Tokenizer tokenizer = vocabularies.tokens();
        Tokenizer.Decoder decoder = decoder(tokenizer);
        String text = prompt.requireTextOnly().text();
        int[] promptTokens = hasDocuments()
                ? documents().tokens(rows(text).collect(Collectors.joining(ROW_SEPARATOR)), tokenizer)
                : tokenizer.encode(text);
        for (int token : promptTokens) {
            out.write(decoder.decode(token));
        }
        float[] logits = feed(network, context(promptTokens, tokenizer));
        int generated = 0;
        while (generated < prompt.length()) {
            excludeSpecial(logits);
            int token = prompt.sampler().applyAsInt(logits);
            generated++;
            if (hasDocuments() && token == TargetSequences.END_TOKEN) {
                break;
            }
            out.write(decoder.decode(token));
            out.flush();
            logits = network.nextLogits(token);
        }
        return generated;
    }

    /** Gives the tokens that are not part of a text a probability of 0. */
    private void excludeSpecial(float[] logits) {
        if (hasUnknown()) {
            logits[TargetSequences.UNKNOWN_TOKEN] = Float.NEGATIVE_INFINITY;
        }
        if (hasDocuments()) {
            logits[TargetSequences.START_TOKEN] = Float.NEGATIVE_INFINITY;
        }
    }

    /**
     * Returns the tokens of a text that is a row, after the token that precedes it and with the token that ends it: the
     * start, separator and end of documents, or line ends.
     *
     * @param first whether the row is the first one of its document
     * @param last whether the row is the last one of its document
     * @throws io.unroll.text.UnknownSymbolException if a symbol is not in a vocabulary without {@code <unk>}
     */
    public int[] rowTokens(String text, boolean first, boolean last, Tokenizer tokenizer) {
        if (!hasDocuments()) {
            int[] tokens = ArrayUtils.addFirst(tokenizer.encode(text), lineStartToken(tokenizer));
            return lineEndToken(tokenizer) < 0 ? tokens : ArrayUtils.add(tokens, lineEndToken(tokenizer));
        }
        DocumentExamples documents = documents();
        int[] tokens = documents.textTokens(separates() ? text.replace(Row.SEPARATOR, ' ') : text, tokenizer);
        int before = first ? TargetSequences.START_TOKEN : DocumentExamples.SEPARATOR_TOKEN;
        int after = last ? TargetSequences.END_TOKEN : DocumentExamples.SEPARATOR_TOKEN;
        return ArrayUtils.addAll(ArrayUtils.addFirst(tokens, before), after);
    }

    /**
     * @param stored tokens of a document, or of a piece of a text that is one document
     * @return the document, or the lines of the piece that are complete and not empty, as {@link #rowTokens} has them
     */
    public List<int[]> storedRows(int[] stored, Tokenizer tokenizer) {
        if (hasDocuments()) {
            return List.of(ArrayUtils.add(
                    ArrayUtils.addFirst(stored, TargetSequences.START_TOKEN), TargetSequences.END_TOKEN));
        }
        List<int[]> rows = new ArrayList<>();
        int lineEnd = lineEndToken(tokenizer);
        int last = -1;
        for (int i = 0; i < stored.length; i++) {
            if (stored[i] == lineEnd) {
                if (last >= 0 && i - last > 1) {
                    rows.add(Arrays.copyOfRange(stored, last, i + 1));
                }
                last = i;
            }
        }
        return rows;
    }

    /** @return whether a row ends with the token, in a document of several rows */
    public boolean separatesRows(int token) {
        return hasDocuments() && documents().isSeparator(token);
    }

    /** @return the number of {@code <unk>} tokens */
    public int unknownTokens(int[] tokens) {
        return hasUnknown() ? (int) TargetSequences.unknownTokens(IntStream.of(tokens)) : 0;
    }

    /**
     * Reads the tokens of a text; a document starts with the start token, and the lines of a session are its rows.
     *
     * @param first whether the text is not a continuation of another
     */
    public void read(TextInput in, boolean first, Tokenizer tokenizer, IntConsumer tokens) throws IOException {
        Settings.Malformed malformed = settings.corpus().malformed();
        if (!hasDocuments()) {
            tokenizer.encode(in, malformed, tokens);
            return;
        }
        DocumentExamples documents = documents();
        IntConsumer textTokens = token -> tokens.accept(documents.textToken(token));
        if (first) {
            tokens.accept(TargetSequences.START_TOKEN);
        } else if (separates()) {
            tokens.accept(DocumentExamples.SEPARATOR_TOKEN);
        }
        if (!separates()) {
            tokenizer.encode(in, malformed, textTokens);
            return;
        }
        LineInput line = new LineInput(in);
        tokenizer.encode(line, malformed, textTokens);
        while (line.next()) {
            tokens.accept(DocumentExamples.SEPARATOR_TOKEN);
            tokenizer.encode(line, malformed, textTokens);
        }
    }

    /** @return a decoder for which the start of a document is empty, and the separator of rows is a line end */
    public Tokenizer.Decoder decoder(Tokenizer tokenizer) {
        if (!hasDocuments()) {
            return tokenizer.decoder();
        }
        DocumentExamples documents = documents();
        Tokenizer.Decoder[] decoder = {tokenizer.decoder()};
        return token -> {
            if (documents.isSeparator(token)) {
                decoder[0] = tokenizer.decoder();
                return new byte[] {'\n'};
            }
            return token == TargetSequences.START_TOKEN ? new byte[0] : decoder[0].decode(token);
        };
    }

    private int[] context(int[] promptTokens, Vocabulary vocabulary) {
        if (hasDocuments()) {
            return ArrayUtils.addFirst(promptTokens, TargetSequences.START_TOKEN);
        }
        return promptTokens.length > 0 ? promptTokens : new int[] {lineStartToken(vocabulary)};
    }

    @Override
    public boolean answersEmptyPrompt() {
        return true;
    }

    /** @return the logits after the last token */
    private static float[] feed(Network network, int[] tokens) {
        float[] logits = null;
        for (int token : tokens) {
            logits = network.nextLogits(token);
        }
        return logits;
    }

    /** @return the end-of-line token, which precedes a new line; the most frequent token if there is none */
    private static int lineStartToken(Vocabulary vocabulary) {
        return Math.max(0, lineEndToken(vocabulary));
    }

    /** @return -1 if there is none */
    private static int lineEndToken(Vocabulary vocabulary) {
        return Math.max(vocabulary.id("\n"), vocabulary.id("<eos>"));
    }
}
