package io.unroll.text;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.unroll.config.Settings;
import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.apache.commons.lang3.StringUtils;

/**
 * Tokenizer with one token per word, and {@code <eos>} for each line end ({@code \R} in regular expressions). A word is
 * a sequence of characters without white space. White space is not preserved: decoding writes one space between words.
 */
final class WordTokenizer extends Tokenizer {
    static final String END_OF_LINE = "<eos>";
    private static final int MAX_CHARACTERS = 1 << 16;
    private static final int MAX_SHOWN = 40;

    WordTokenizer(@JsonProperty("symbols") List<String> symbols) {
        super(TokenizerName.WORD, symbols);
    }

    @Override
    List<String> textSymbols(Settings.Corpus corpus) {
        return List.of(UNKNOWN, END_OF_LINE);
    }

    @Override
    public Boundary boundary() {
        return Boundary.LINE;
    }

    @Override
    public void count(TextInput in, Malformed malformed, SymbolCounter counter) throws IOException {
        forEachWord(in, malformed, counter::add);
    }

    private static void forEachWord(TextInput in, Malformed malformed, Consumer<String> consumer) throws IOException {
        Splitter splitter = new Splitter(in.origin(), consumer);
        new Utf8Text(in, malformed).forEach(splitter::text);
        splitter.flush();
    }

    @Override
    public void encode(TextInput in, Malformed malformed, IntConsumer tokens) throws IOException {
        forEachWord(in, malformed, word -> tokens.accept(idOrUnknown(word)));
    }

    @Override
    List<String> symbols(String text) {
        List<String> symbols = new ArrayList<>();
        Splitter splitter = new Splitter("the text", symbols::add);
        splitter.text(text.toCharArray(), text.length());
        splitter.flush();
        return symbols;
    }

    @Override
    public Decoder decoder() {
        boolean[] lineStart = {true};
        return token -> {
            String word = symbol(token);
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
