package io.unroll;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.unroll.config.UnrollException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/** Makes damaged copies of a valid input, and checks how a reader handles them. Deterministic for a seed. */
public final class Fuzz {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int[] ODD_NUMBERS = {0, 1, -1, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0x1000_0000};

    private Fuzz() {}

    /** @return {@code count} damaged copies, which are created lazily */
    public static Stream<byte[]> mutations(byte[] original, int count, long seed) {
        return IntStream.range(0, count).mapToObj(i -> mutation(original, seed + i));
    }

    /** @return a copy with one to four changes: bits, numbers, noise, a truncation, or bytes removed or repeated */
    public static byte[] mutation(byte[] original, long seed) {
        SplittableRandom random = new SplittableRandom(new SplittableRandom(seed).nextLong());
        byte[] mutated = original.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            mutated = changed(mutated, random);
        }
        return mutated;
    }

    private static byte[] changed(byte[] bytes, SplittableRandom random) {
        if (bytes.length == 0) {
            return new byte[] {(byte) random.nextInt()};
        }
        int from = random.nextInt(bytes.length);
        int to = from + random.nextInt(1 + Math.min(64, bytes.length - from));
        switch (random.nextInt(8)) {
            case 0 -> {
                return Arrays.copyOf(bytes, from);
            }
            case 1 -> {
                return spliced(bytes, from, to, new byte[0]);
            }
            case 2 -> {
                byte[] part = Arrays.copyOfRange(bytes, from, to);
                int position = random.nextInt(bytes.length + 1);
                return spliced(bytes, position, position, part);
            }
            case 3 -> {
                byte[] noise = new byte[to - from];
                random.nextBytes(noise);
                return spliced(bytes, from, to, noise);
            }
            case 4 -> {
                byte[] number = ByteBuffer.allocate(Integer.BYTES)
                        .putInt(ODD_NUMBERS[random.nextInt(ODD_NUMBERS.length)])
                        .array();
                return spliced(bytes, from, Math.min(bytes.length, from + number.length), number);
            }
            case 5 -> bytes[from] = (byte) (' ' + random.nextInt(95));
            default -> bytes[from] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }

    /** @return the bytes with {@code [from, to)} replaced */
    public static byte[] spliced(byte[] bytes, int from, int to, byte[] replacement) {
        return ByteBuffer.allocate(bytes.length - (to - from) + replacement.length)
                .put(bytes, 0, from)
                .put(replacement)
                .put(bytes, to, bytes.length - to)
                .array();
    }

    /**
     * Fails unless the reading succeeds or throws an {@link UnrollException} with a readable message, in time.
     *
     * @param input describes the input, to reproduce a failure
     * @return whether the reading succeeded
     */
    public static boolean assertReadOrRefused(String input, Executable reading) {
        try {
            assertTimeoutPreemptively(LIMIT, reading, input);
            return true;
        } catch (UnrollException e) {
            assertReadable(input, e.getMessage());
            return false;
        } catch (Exception | LinkageError | OutOfMemoryError | StackOverflowError e) {
            return fail(input + " ends in " + e, e);
        }
    }

    /** Fails if the message of an error is blank, or contains a class name, a stack trace or a control character. */
    public static void assertReadable(String input, String message) {
        assertTrue(
                message != null
                        && !message.isBlank()
                        && !message.contains("\tat ")
                        && !message.matches("(?s).*: null\\b.*")
                        && !message.matches("(?s).*[\\p{Cntrl}\\uFFFD&&[^\n\t]].*")
                        && !message.matches("(?s).*\\b(java|scala|org|com|io)(\\.[a-z]\\w*)+\\.[A-Z].*"),
                () -> input + " has no readable message: " + message);
    }
}
