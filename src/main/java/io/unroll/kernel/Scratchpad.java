package io.unroll.kernel;

import io.unroll.config.UnrollException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory that the kernels of one network use: what all work on in turn, and arrays of their own. The arrays of a kernel
 * that is closed are there for the next one, which is often the same layer's for a batch of another length: memory fresh
 * from the operating system comes page by page, which took a tenth of a step's time. Not safe for several threads.
 */
public final class Scratchpad implements AutoCloseable {
    /** By their bytes. */
    private final NavigableMap<Long, Deque<memory>> idle = new TreeMap<>();

    private memory shared;
    private long sharedBytes;

    /** @return at least so many bytes, whose content is lost at the next call */
    Pointer bytes(long needed) {
        if (needed > sharedBytes) {
            closeShared();
            shared = fresh(needed);
            sharedBytes = needed;
        }
        return shared.get_data_handle();
    }

    /** @return an array of any content, until its owner closes */
    memory array(memory.desc layout, Owned owner) {
        long needed = Math.max(1, layout.get_size());
        Long fitting = idle.ceilingKey(needed);
        boolean fits = fitting != null && fitting <= 2 * needed;
        long capacity = fits ? fitting : needed;
        memory buffer = fits ? take(fitting) : inPlaceOfASmaller(needed);
        owner.add(() ->
                idle.computeIfAbsent(capacity, bytes -> new ArrayDeque<>()).push(buffer));
        memory array = owner.add(OneDnn.view(layout));
        array.set_data_handle(buffer.get_data_handle());
        return array;
    }

    private memory take(long capacity) {
        Deque<memory> buffers = idle.get(capacity);
        memory buffer = buffers.pop();
        if (buffers.isEmpty()) {
            idle.remove(capacity);
        }
        return buffer;
    }

    /**
     * Frees one that is too small by less than half, so that batches of growing length leave no row of arrays behind: what
     * is idle is at most about as much again as the largest batch needs.
     */
    private memory inPlaceOfASmaller(long needed) {
        Long small = idle.lowerKey(needed);
        if (small != null && 2 * small >= needed) {
            take(small).close();
        }
        return fresh(needed);
    }

    private memory fresh(long bytes) {
        try (memory.desc layout = OneDnn.plain(memory.data_type.u8, bytes)) {
            try {
                return OneDnn.allocate(layout);
            } catch (UnrollException e) {
                closeIdle();
                return OneDnn.allocate(layout);
            }
        }
    }

    private void closeShared() {
        if (shared != null) {
            shared.close();
            shared = null;
            sharedBytes = 0;
        }
    }

    private void closeIdle() {
        idle.values().forEach(buffers -> buffers.forEach(memory::close));
        idle.clear();
    }

    /** After all kernels. */
    @Override
    public void close() {
        closeShared();
        closeIdle();
    }
}
