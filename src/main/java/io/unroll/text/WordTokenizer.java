package io.unroll.text;

import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;

/**
 * Tokenizer with one token per word, and {@code <eos>} for each line end ({@code \R} in regular expressions). A word is
 * a sequence of characters without white space. White space is not preserved: decoding writes one space between words.
 */
record WordTokenizer(int minCount, int maxVocabulary, Malformed malformed) implements Tokenizer {
    static final String UNKNOWN = FieldTokenizer.UNKNOWN;
    static final String END_OF_LINE = "<eos>";
    private static final int MAX_CHARACTERS = 1 << 16;
    private static final int MAX_SHOWN = 40;

    @Override
    public Slice.Boundary boundary() {
        return Slice.Boundary.LINE;
    }

    @Override
    public void count(SliceInput in, Map<String, Long> counts) throws IOException {
        forEachWord(in, word -> counts.merge(word, 1L, Long::sum));
    }

    private void forEachWord(SliceInput in, Consumer<String> consumer) throws IOException {
        Splitter splitter = new Splitter(in.file(), consumer);
        new Utf8Text(in, malformed).forEach(splitter::text);
        splitter.flush();
    }

    @Override
    public Vocabulary vocabulary(Map<String, Long> counts) {
        long limit = maxVocabulary == 0 ? Long.MAX_VALUE : maxVocabulary - 2L;
        Stream<String> words = Vocabulary.byFrequency(counts).stream()
                .filter(word -> counts.get(word) >= minCount)
                .filter(word -> !word.equals(UNKNOWN) && !word.equals(END_OF_LINE))
                .limit(limit);
        return new Vocabulary(
                TokenizerName.WORD,
                Stream.concat(Stream.of(UNKNOWN, END_OF_LINE), words).toList());
    }

    @Override
    public void encode(SliceInput in, Vocabulary vocabulary, IntConsumer tokens) throws IOException {
        forEachWord(in, word -> tokens.accept(vocabulary.idOrUnknown(word)));
    }

    @Override
    public int[] encode(String text, Vocabulary vocabulary) {
        return symbols(text).stream().mapToInt(vocabulary::idOrUnknown).toArray();
    }

    @Override
    public List<String> symbols(String text) {
        List<String> symbols = new ArrayList<>();
        Splitter splitter = new Splitter("the text", symbols::add);
        splitter.text(text.toCharArray(), text.length());
        splitter.flush();
        return symbols;
    }

    @Override
    public Decoder decoder(Vocabulary vocabulary) {
        boolean[] lineStart = {true};
        return token -> {
            String word = vocabulary.symbol(token);
            boolean isLineEnd = word.equals(END_OF_LINE);
            String text = isLineEnd ? "\n" : lineStart[0] ? word : " " + word;
            lineStart[0] = isLineEnd;
            return text.getBytes(StandardCharsets.UTF_8);
        };
    }

    private static final class Splitter {
        private final String where;
        private final Consumer<String> consumer;
        private final StringBuilder word = new StringBuilder();
        private boolean afterCarriageReturn;

        Splitter(String where, Consumer<String> consumer) {
            this.where = where;
            this.consumer = consumer;
        }

        void text(char[] chars, int length) {
            for (int i = 0; i < length; i++) {
                char c = chars[i];
                if (isLineEnd(c)) {
                    flush();
                    if (!(c == '\n' && afterCarriageReturn)) {
                        consumer.accept(END_OF_LINE);
                    }
                } else if (Character.isWhitespace(c)) {
                    flush();
                } else {
                    append(c);
                }
                afterCarriageReturn = c == '\r';
            }
        }

        private void append(char c) {
            if (word.length() == MAX_CHARACTERS) {
                throw new UnrollException(
                        where + " contains a word of more than " + MAX_CHARACTERS + " characters, which starts with "
                                + StringUtils.abbreviate(word.toString(), MAX_SHOWN)
                                + ": split it with white space, or train with corpus.tokenizer = char or byte.");
            }
            word.append(c);
        }

        void flush() {
            if (!word.isEmpty()) {
                consumer.accept(word.toString());
                word.setLength(0);
            }
        }

        private static boolean isLineEnd(char c) {
            return (c >= '\n' && c <= '\r') || c == '\u0085' || c == '\u2028' || c == '\u2029';
        }
    }
}
