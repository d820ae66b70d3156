package io.unroll.kernel;

import io.unroll.config.UnrollException;
import java.util.ArrayDeque;
import java.util.Deque;

/** Closes the native resources of a kernel in the reverse of the order in which they were added. */
final class ResourceScope implements AutoCloseable {
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T resource) {
        resources.push(resource);
        return resource;
    }

    @Override
    public void close() {
        while (!resources.isEmpty()) {
            try {
                resources.pop().close();
            } catch (Exception e) {
                throw new UnrollException("oneDNN memory cannot be freed: " + e.getMessage(), e);
            }
        }
    }
}
