package io.unroll.kernel;

import io.unroll.config.UnrollException;
import java.util.ArrayDeque;
import java.util.Deque;

/** What a kernel must close, in the order opposite to its making. */
final class Owned implements AutoCloseable {
    private final Deque<AutoCloseable> all = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T resource) {
        all.push(resource);
        return resource;
    }

    @Override
    public void close() {
        while (!all.isEmpty()) {
            try {
                all.pop().close();
            } catch (Exception e) {
                throw new UnrollException("oneDNN memory cannot be freed: " + e.getMessage(), e);
            }
        }
    }
}
