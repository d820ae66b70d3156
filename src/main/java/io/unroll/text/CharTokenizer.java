package io.unroll.text;

import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import java.io.IOException;
import java.util.Map;
import java.util.function.IntConsumer;

/** One token for each Unicode code point. */
record CharTokenizer(Malformed malformed) implements Tokenizer {
    @Override
    public Slice.Boundary boundary() {
        return Slice.Boundary.CODE_POINT;
    }

    @Override
    public void count(SliceInput in, Map<String, Long> counts) throws IOException {
        long[] seen = new long[Character.MIN_SUPPLEMENTARY_CODE_POINT];
        new Utf8Text(in, malformed)
                .forEach((chars, length) -> codePoints(chars, length, c -> {
                    if (c < seen.length) {
                        seen[c]++;
                    } else {
                        counts.merge(Character.toString(c), 1L, Long::sum);
                    }
                }));
        for (int codePoint = 0; codePoint < seen.length; codePoint++) {
            if (seen[codePoint] > 0) {
                counts.merge(Character.toString(codePoint), seen[codePoint], Long::sum);
            }
        }
    }

    private static void codePoints(char[] chars, int length, IntConsumer consumer) {
        for (int i = 0; i < length; i++) {
            char c = chars[i];
            consumer.accept(Character.isHighSurrogate(c) ? Character.toCodePoint(c, chars[++i]) : c);
        }
    }

    @Override
    public Vocabulary vocabulary(Map<String, Long> counts) {
        return new Vocabulary(TokenizerName.CHAR, Vocabulary.byFrequency(counts));
    }

    @Override
    public void encode(SliceInput in, Vocabulary vocabulary, IntConsumer tokens) throws IOException {
        int[] ids = vocabulary.codePointIds();
        new Utf8Text(in, malformed)
                .forEach((chars, length) ->
                        codePoints(chars, length, codePoint -> tokens.accept(id(ids, codePoint, in.file()))));
    }

    @Override
    public int[] encode(String text, Vocabulary vocabulary) {
        int[] ids = vocabulary.codePointIds();
        return text.codePoints()
                .map(codePoint -> id(ids, codePoint, "the text"))
                .toArray();
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
