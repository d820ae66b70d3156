package io.unroll.chunk;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A row of a table, or a document, as the network learns it.
 *
 * @param source input of the encoder, or the text to classify; {@link Sequence#NONE} if there is none
 * @param target tokens of the target, or one label
 * @param weight in training: an example of weight 2 contributes to the gradient like two examples
 */
public record Example(Sequence source, int[] target, float weight) implements Serializable {
    /** An example of weight 1. */
    public Example(Sequence source, int[] target) {
        this(source, target, 1);
    }

    /**
     * The types of the values of all examples of a corpus.
     *
     * @param weighted whether examples have weights, as float32; otherwise they are 1
     */
    public record Type(SequenceType source, SequenceType target, boolean weighted) implements Serializable {
        public Type(SequenceType source, SequenceType target) {
            this(source, target, false);
        }

        /** @param bytes empty without weights */
        float weight(byte[] bytes) {
            return weighted
                    ? ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getFloat()
                    : 1;
        }

        int weightBytes() {
            return weighted ? Float.BYTES : 0;
        }
    }

    public Example withWeight(float newWeight) {
        return new Example(source, target, newWeight);
    }

    /** @return the length of the source, its values, the target and the weight, as they are stored */
    public byte[] toBytes(Type type) {
        int[] values = source.toInts();
        byte[] sourceBytes = new byte[values.length * type.source.bytes()];
        type.source.encode(values, values.length, sourceBytes);
        byte[] targetBytes = new byte[target.length * type.target.bytes()];
        type.target.encode(target, target.length, targetBytes);
        ByteBuffer bytes = ByteBuffer.allocate(
                        Integer.BYTES + sourceBytes.length + targetBytes.length + type.weightBytes())
                .putInt(sourceBytes.length)
                .put(sourceBytes)
                .put(targetBytes);
        return (type.weighted ? bytes.order(ByteOrder.LITTLE_ENDIAN).putFloat(weight) : bytes).array();
    }

    /** @return the inverse of {@link #toBytes} */
    public static Example of(byte[] bytes, Type type) {
        int end = Integer.BYTES + ByteBuffer.wrap(bytes).getInt();
        int targetEnd = bytes.length - type.weightBytes();
        return new Example(
                type.source.sequence(Arrays.copyOfRange(bytes, Integer.BYTES, end)),
                type.target.decode(Arrays.copyOfRange(bytes, end, targetEnd)),
                type.weight(Arrays.copyOfRange(bytes, targetEnd, bytes.length)));
    }
}
