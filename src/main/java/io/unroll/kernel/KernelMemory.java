package io.unroll.kernel;

import io.unroll.config.UnrollException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.Pointer;

/**
 * The memory of a network's kernels: one scratchpad that all kernels use in turn, and the arrays that belong to one
 * kernel. When a kernel closes, the next kernel reuses its arrays; often that is the kernel of the same layer for a
 * batch of another length. Page faults in newly allocated memory took a tenth of a step's time. Not thread-safe.
 */
public final class KernelMemory implements AutoCloseable {
    /** Buffers that no kernel uses, by their size in bytes. */
    private final NavigableMap<Long, Deque<memory>> idle = new TreeMap<>();

    private memory scratchpad;
    private long scratchpadBytes;

    /** @return the scratchpad, grown to {@code needed} bytes if it is smaller; the next caller overwrites it */
    Pointer scratchpad(long needed) {
        if (needed > scratchpadBytes) {
            closeScratchpad();
            scratchpad = allocate(needed);
            scratchpadBytes = needed;
        }
        return scratchpad.get_data_handle();
    }

    /** @return an uninitialized array, which is reused after {@code owner} is closed */
    memory array(memory.desc layout, ResourceScope owner) {
        long needed = Math.max(1, layout.get_size());
        Long idleCapacity = idle.ceilingKey(needed);
        boolean fits = idleCapacity != null && idleCapacity <= 2 * needed;
        long capacity = fits ? idleCapacity : needed;
        memory buffer = fits ? takeIdle(idleCapacity) : replaceSmaller(needed);
        owner.add(() ->
                idle.computeIfAbsent(capacity, bytes -> new ArrayDeque<>()).push(buffer));
        memory array = owner.add(OneDnn.view(layout));
        array.set_data_handle(buffer.get_data_handle());
        return array;
    }

    private memory takeIdle(long capacity) {
        Deque<memory> buffers = idle.get(capacity);
        memory buffer = buffers.pop();
        if (buffers.isEmpty()) {
            idle.remove(capacity);
        }
        return buffer;
    }

    /**
     * Allocates a buffer, and frees an idle one that has at least half of its size. Otherwise batches of growing length
     * would leave many idle buffers; like this, those take at most about as much memory as the largest batch needs.
     */
    private memory replaceSmaller(long needed) {
        Long smaller = idle.lowerKey(needed);
        if (smaller != null && 2 * smaller >= needed) {
            takeIdle(smaller).close();
        }
        return allocate(needed);
    }

    private memory allocate(long bytes) {
        try (memory.desc layout = OneDnn.plain(memory.data_type.u8, bytes)) {
            try {
                return OneDnn.allocate(layout);
            } catch (UnrollException e) {
                closeIdle();
                return OneDnn.allocate(layout);
            }
        }
    }

    private void closeScratchpad() {
        if (scratchpad != null) {
            scratchpad.close();
            scratchpad = null;
            scratchpadBytes = 0;
        }
    }

    private void closeIdle() {
        idle.values().forEach(buffers -> buffers.forEach(memory::close));
        idle.clear();
    }

    /** Frees all memory; call it after all kernels are closed. */
    @Override
    public void close() {
        closeScratchpad();
        closeIdle();
    }
}
