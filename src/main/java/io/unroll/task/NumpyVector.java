package io.unroll.task;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads float32 and float64 arrays in NumPy's .npy format (NEP 1). ND4J's reader trusts the sizes in the header, so a
 * damaged file can crash the process.
 */
final class NumpyVector {
    private static final String MAGIC = "\u0093NUMPY";
    private static final Pattern TYPE = Pattern.compile("'descr': *'([<>])f([48])'");

    private NumpyVector() {}

    /**
     * @return all numbers, in the order of the file
     * @throws IllegalArgumentException if the file is not a valid .npy file of these types
     */
    static float[] read(byte[] file) {
        try {
            ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
            if (!text(in, MAGIC.length()).equals(MAGIC)) {
                throw new IllegalArgumentException("it does not start with NumPy's signature");
            }
            int version = in.get();
            in.get();
            String header = text(in, version == 1 ? Short.toUnsignedInt(in.getShort()) : in.getInt());
            Matcher type = TYPE.matcher(header);
            if (!type.find()) {
                throw new IllegalArgumentException("its type is neither float32 nor float64: " + header.strip());
            }
            in.order(type.group(1).equals("<") ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            boolean single = type.group(2).equals("4");
            float[] values = new float[in.remaining() / (single ? Float.BYTES : Double.BYTES)];
            for (int i = 0; i < values.length; i++) {
                values[i] = single ? in.getFloat() : (float) in.getDouble();
            }
            return values;
        } catch (BufferUnderflowException | NegativeArraySizeException e) {
            throw new IllegalArgumentException("it ends too early", e);
        }
    }

    private static String text(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
