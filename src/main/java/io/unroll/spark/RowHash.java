package io.unroll.spark;

import io.unroll.text.Row;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.commons.codec.digest.DigestUtils;

/** Hashes the fields of rows that a task reads, without their weights: these do not decide to which part a row belongs. */
record RowHash(List<String> fields) implements Serializable {
    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(DigestUtils::getSha256Digest);

    long of(Row row) {
        return digest(row).getLong();
    }

    /** @return 32 bytes */
    ByteBuffer digest(Row row) {
        MessageDigest digest = SHA_256.get();
        for (String field : fields) {
            String value = row.values().get(field);
            byte[] bytes = value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8);
            digest.update(ByteBuffer.allocate(Integer.BYTES + bytes.length)
                    .putInt(value == null ? -1 : bytes.length)
                    .put(bytes)
                    .flip());
        }
        return ByteBuffer.wrap(digest.digest());
    }

    long characters(Row row) {
        long characters = 0;
        for (String field : fields) {
            String value = row.values().get(field);
            characters += value == null ? 0 : value.length();
        }
        return characters;
    }

    static long of(String text) {
        return ByteBuffer.wrap(SHA_256.get().digest(text.getBytes(StandardCharsets.UTF_8)))
                .getLong();
    }

    /** @return the hash of one of several copies of a row */
    static long ofCopy(long rowHash, int copy) {
        return new SplittableRandom(rowHash + copy).nextLong();
    }

    /** @return a sort key: hashes again, because the hash of a copy decides to which part it belongs */
    static long orderOf(long hash) {
        return new SplittableRandom(hash).nextLong();
    }
}
