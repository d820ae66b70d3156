package io.unroll.text;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.unroll.config.Settings;
import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntConsumer;

/** Tokenizer with one token per Unicode code point. */
final class CharTokenizer extends Tokenizer {
    CharTokenizer(@JsonProperty("symbols") List<String> symbols) {
        super(TokenizerName.CHAR, symbols);
    }

    /** Returns {@code <unk>}, unless each character of the corpus is a symbol. */
    @Override
    List<String> textSymbols(Settings.Corpus corpus) {
        return corpus.minCount() > 1 || corpus.maxVocabulary() > 0 ? List.of(UNKNOWN) : List.of();
    }

    @Override
    public Boundary boundary() {
        return Boundary.CODE_POINT;
    }

    @Override
    public void count(TextInput in, Malformed malformed, SymbolCounter counter) throws IOException {
        forEachCodePoint(in, malformed, counter::add);
    }

    @Override
    public void count(String text, SymbolCounter counter) {
        for (int i = 0, codePoint; i < text.length(); i += Character.charCount(codePoint)) {
            codePoint = text.codePointAt(i);
            counter.add(codePoint);
        }
    }

    private static void forEachCodePoint(TextInput in, Malformed malformed, IntConsumer consumer) throws IOException {
        new Utf8Text(in, malformed).forEach((chars, length) -> {
            for (int i = 0; i < length; i++) {
                char c = chars[i];
                consumer.accept(Character.isHighSurrogate(c) ? Character.toCodePoint(c, chars[++i]) : c);
            }
        });
    }

    @Override
    public void encode(TextInput in, Malformed malformed, IntConsumer tokens) throws IOException {
        int[] ids = codePointIds();
        int unknown = id(UNKNOWN);
        forEachCodePoint(in, malformed, codePoint -> tokens.accept(id(ids, codePoint, unknown, in.origin())));
    }

    @Override
    public int[] encode(String text) {
        int[] ids = codePointIds();
        int unknown = id(UNKNOWN);
        int[] tokens = new int[text.codePointCount(0, text.length())];
        for (int i = 0, index = 0; i < tokens.length; i++) {
            int codePoint = text.codePointAt(index);
            tokens[i] = id(ids, codePoint, unknown, "the text");
            index += Character.charCount(codePoint);
        }
        return tokens;
    }

    @Override
    List<String> symbols(String text) {
        return text.codePoints().mapToObj(Character::toString).toList();
    }

    /** @param unknown the token of unknown characters; negative if they are an error */
    private static int id(int[] ids, int codePoint, int unknown, String where) {
        int id = codePoint < ids.length ? ids[codePoint] : -1;
        if (id < 0 && unknown < 0) {
            throw new UnknownSymbolException(codePoint, where);
        }
        return id < 0 ? unknown : id;
    }

    @Override
    public Decoder decoder() {
        return token -> symbol(token).getBytes(StandardCharsets.UTF_8);
    }
}
