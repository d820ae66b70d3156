package io.unroll.chunk;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A row of a table, or a document, as the network learns it.
 *
 * @param source input of the encoder, or the text to classify; {@link Sequence#NONE} if there is none
 * @param target tokens of the target, or one label
 */
public record Example(Sequence source, int[] target) implements Serializable {
    /** The types of the values of all examples of a corpus. */
    public record Type(SequenceType source, SequenceType target) implements Serializable {}

    /** @return the length of the source, its values, and the target, as they are stored */
    public byte[] toBytes(Type type) {
        int[] values = source.toInts();
        byte[] sourceBytes = new byte[values.length * type.source.bytes()];
        type.source.encode(values, values.length, sourceBytes);
        byte[] targetBytes = new byte[target.length * type.target.bytes()];
        type.target.encode(target, target.length, targetBytes);
        return ByteBuffer.allocate(Integer.BYTES + sourceBytes.length + targetBytes.length)
                .putInt(sourceBytes.length)
                .put(sourceBytes)
                .put(targetBytes)
                .array();
    }

    /** @return the inverse of {@link #toBytes} */
    public static Example of(byte[] bytes, Type type) {
        int end = Integer.BYTES + ByteBuffer.wrap(bytes).getInt();
        return new Example(
                type.source.sequence(Arrays.copyOfRange(bytes, Integer.BYTES, end)),
                type.target.decode(Arrays.copyOfRange(bytes, end, bytes.length)));
    }
}
