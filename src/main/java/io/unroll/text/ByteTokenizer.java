package io.unroll.text;

import io.unroll.config.Settings.TokenizerName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Tokenizer with one token per byte: its value. It accepts any file, text or not. */
record ByteTokenizer() implements Tokenizer {
    private static final int BUFFER = 1 << 16;
    private static final List<String> SYMBOLS =
            IntStream.range(0, 256).mapToObj(Character::toString).toList();

    @Override
    public Slice.Boundary boundary() {
        return Slice.Boundary.BYTE;
    }

    @Override
    public void count(SliceInput in, Map<String, Long> counts) {
        // The vocabulary always consists of all 256 bytes.
    }

    @Override
    public Vocabulary vocabulary(Map<String, Long> counts) {
        return new Vocabulary(TokenizerName.BYTE, SYMBOLS);
    }

    @Override
    public void encode(SliceInput in, Vocabulary vocabulary, IntConsumer tokens) throws IOException {
        byte[] buffer = new byte[BUFFER];
        for (int read = in.read(buffer, 0, BUFFER); read >= 0; read = in.read(buffer, 0, BUFFER)) {
            for (int i = 0; i < read; i++) {
                tokens.accept(buffer[i] & 0xFF);
            }
        }
    }

    @Override
    public int[] encode(String text, Vocabulary vocabulary) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, bytes.length).map(i -> bytes[i] & 0xFF).toArray();
    }

    @Override
    public List<String> symbols(String text) {
        return IntStream.of(encode(text, null)).mapToObj(SYMBOLS::get).toList();
    }

    @Override
    public Decoder decoder(Vocabulary vocabulary) {
        return token -> new byte[] {(byte) token};
    }
}
