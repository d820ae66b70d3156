package io.unroll.text;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.unroll.config.Settings;
import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Tokenizer with one token per byte: its value. It accepts any file, text or not. */
final class ByteTokenizer extends Tokenizer {
    private static final int BUFFER = 1 << 16;
    private static final List<String> SYMBOLS =
            IntStream.range(0, 256).mapToObj(Character::toString).toList();

    ByteTokenizer(@JsonProperty("symbols") List<String> symbols) {
        super(TokenizerName.BYTE, symbols);
    }

    @Override
    public String key(Settings.Corpus corpus) {
        return kind().name();
    }

    /** Returns all 256 bytes: more are not in any corpus. */
    @Override
    List<String> textSymbols(Settings.Corpus corpus) {
        return SYMBOLS;
    }

    @Override
    public Boundary boundary() {
        return Boundary.BYTE;
    }

    @Override
    public void count(TextInput in, Malformed malformed, SymbolCounter counter) {
        // The vocabulary always consists of all 256 bytes.
    }

    @Override
    public void count(String text, SymbolCounter counter) {
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            counter.add(value & 0xFF);
        }
    }

    @Override
    public void encode(TextInput in, Malformed malformed, IntConsumer tokens) throws IOException {
        int[] ids = codePointIds();
        int unknown = id(UNKNOWN);
        byte[] buffer = new byte[BUFFER];
        for (int read = in.read(buffer, 0, BUFFER); read >= 0; read = in.read(buffer, 0, BUFFER)) {
            for (int i = 0; i < read; i++) {
                tokens.accept(id(ids, buffer[i], unknown));
            }
        }
    }

    @Override
    public int[] encode(String text) {
        int[] ids = codePointIds();
        int unknown = id(UNKNOWN);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, bytes.length)
                .map(i -> id(ids, bytes[i], unknown))
                .toArray();
    }

    private static int id(int[] ids, byte value, int unknown) {
        int symbol = value & 0xFF;
        return symbol < ids.length && ids[symbol] >= 0 ? ids[symbol] : unknown;
    }

    @Override
    List<String> symbols(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, bytes.length)
                .mapToObj(i -> SYMBOLS.get(bytes[i] & 0xFF))
                .toList();
    }

    @Override
    public Decoder decoder() {
        return token -> symbol(token).getBytes(StandardCharsets.ISO_8859_1);
    }
}
