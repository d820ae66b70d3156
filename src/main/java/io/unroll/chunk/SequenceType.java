package io.unroll.chunk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How the values of a sequence are stored: little-endian, tokens in as few bytes as the vocabulary needs. */
public enum SequenceType {
    NONE(0),
    TOKENS_8(1),
    TOKENS_16(2),
    TOKENS_32(4),
    LABELS(4),
    PIXELS(1),
    FEATURES(4);

    private final int bytes;

    SequenceType(int bytes) {
        this.bytes = bytes;
    }

    public static SequenceType tokens(int vocabularySize) {
        return vocabularySize <= 1 << 8 ? TOKENS_8 : vocabularySize <= 1 << 16 ? TOKENS_16 : TOKENS_32;
    }

    /** @return the bytes of a value */
    public int bytes() {
        return bytes;
    }

    boolean hasTokens() {
        return this == TOKENS_8 || this == TOKENS_16 || this == TOKENS_32;
    }

    /** Encodes {@code count} values. Its inner loop handles one byte position, which the JIT compiler can vectorize. */
    void encode(int[] values, int count, byte[] target) {
        if (bytes == 1) {
            for (int i = 0; i < count; i++) {
                target[i] = (byte) values[i];
            }
            return;
        }
        for (int b = 0; b < bytes; b++) {
            for (int i = 0; i < count; i++) {
                target[i * bytes + b] = (byte) (values[i] >>> (8 * b));
            }
        }
    }

    void decode(byte[] source, int[] target, int offset, int count) {
        for (int i = 0; i < count; i++) {
            int value = 0;
            for (int b = bytes - 1; b >= 0; b--) {
                value = (value << 8) | (source[i * bytes + b] & 0xFF);
            }
            target[offset + i] = value;
        }
    }

    int[] decode(byte[] source) {
        int[] values = new int[source.length / bytes];
        decode(source, values, 0, values.length);
        return values;
    }

    Sequence sequence(byte[] values) {
        return switch (this) {
            case NONE -> Sequence.NONE;
            case PIXELS -> new Sequence.Pixels(values);
            case FEATURES -> {
                float[] features = new float[values.length / Float.BYTES];
                ByteBuffer.wrap(values)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(features);
                yield new Sequence.Features(features);
            }
            default -> new Sequence.Tokens(decode(values));
        };
    }
}
