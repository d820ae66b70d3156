package io.unroll.text;

import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Tokenizer with one token per Unicode code point. */
record CharTokenizer(Malformed malformed) implements Tokenizer {
    @Override
    public Slice.Boundary boundary() {
        return Slice.Boundary.CODE_POINT;
    }

    @Override
    public void count(SliceInput in, Map<String, Long> counts) throws IOException {
        long[] frequencies = new long[Character.MAX_CODE_POINT + 1];
        int[] codePoints = new int[Utf8Text.BUFFER];
        new Utf8Text(in, malformed).forEach((chars, length) -> {
            int count = codePoints(chars, length, codePoints);
            for (int i = 0; i < count; i++) {
                frequencies[codePoints[i]]++;
            }
        });
        for (int codePoint = 0; codePoint < frequencies.length; codePoint++) {
            if (frequencies[codePoint] > 0) {
                counts.merge(Character.toString(codePoint), frequencies[codePoint], Long::sum);
            }
        }
    }

    /** @return the number of code points, which are written to {@code codePoints} */
    private static int codePoints(char[] chars, int length, int[] codePoints) {
        int count = 0;
        for (int i = 0; i < length; i++) {
            char c = chars[i];
            codePoints[count++] = Character.isHighSurrogate(c) ? Character.toCodePoint(c, chars[++i]) : c;
        }
        return count;
    }

    @Override
    public Vocabulary vocabulary(Map<String, Long> counts) {
        return new Vocabulary(TokenizerName.CHAR, Vocabulary.byFrequency(counts));
    }

    @Override
    public void encode(SliceInput in, Vocabulary vocabulary, IntConsumer tokens) throws IOException {
        int[] ids = vocabulary.codePointIds();
        int[] codePoints = new int[Utf8Text.BUFFER];
        new Utf8Text(in, malformed).forEach((chars, length) -> {
            int count = codePoints(chars, length, codePoints);
            for (int i = 0; i < count; i++) {
                tokens.accept(id(ids, codePoints[i], in.file()));
            }
        });
    }

    @Override
    public int[] encode(String text, Vocabulary vocabulary) {
        int[] ids = vocabulary.codePointIds();
        return text.codePoints()
                .map(codePoint -> id(ids, codePoint, "the text"))
                .toArray();
    }

    @Override
    public List<String> symbols(String text) {
        return text.codePoints().mapToObj(Character::toString).toList();
    }

    private static int id(int[] ids, int codePoint, String where) {
        int id = codePoint < ids.length ? ids[codePoint] : -1;
        if (id < 0) {
            throw new UnknownSymbolException(codePoint, where);
        }
        return id;
    }

    @Override
    public Decoder decoder(Vocabulary vocabulary) {
        return token -> vocabulary.symbol(token).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
