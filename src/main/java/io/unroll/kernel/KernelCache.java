package io.unroll.kernel;

import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The kernel of the last batch's shape. It is closed before the kernel of another shape is created, so that only one of
 * them takes memory. Not thread-safe.
 */
public final class KernelCache<S, K extends AutoCloseable> implements AutoCloseable {
    private final Function<S, K> create;
    private final Consumer<K> pack;
    private final ResourceScope resources = new ResourceScope();
    private S shape;
    private K kernel;
    private boolean packed;

    /** @param pack packs the current parameters */
    public KernelCache(Function<S, K> create, Consumer<K> pack) {
        this.create = create;
        this.pack = pack;
    }

    /** @return the kernel for batches of this shape, with the current parameters */
    public K kernel(S batch) {
        if (!batch.equals(shape)) {
            close();
            kernel = resources.add(create.apply(batch));
            shape = batch;
        }
        if (!packed) {
            pack.accept(kernel);
            packed = true;
        }
        return kernel;
    }

    /** Must be called after the parameters have changed. */
    public void parametersChanged() {
        packed = false;
    }

    /** Closes the kernel, whose memory returns to {@link KernelMemory}; the next batch creates a new one. */
    @Override
    public void close() {
        shape = null;
        packed = false;
        resources.close();
    }
}
