package io.unroll.kernel;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory that the kernels of one network use: what all work on in turn, and arrays of their own. The array of a kernel that
 * is closed is there for the next one, which is often the same layer's for a batch of another length; memory fresh from the
 * operating system comes page by page, which took a tenth of a step's time.
 */
public final class Scratchpad implements AutoCloseable {
    private final NavigableMap<Long, Deque<memory>> idle = new TreeMap<>();
    private memory shared;
    private long size;

    /** @return at least so many bytes, whose content is lost at the next call */
    Pointer bytes(long needed) {
        if (needed > size) {
            if (shared != null) {
                shared.close();
            }
            shared = fresh(needed);
            size = needed;
        }
        return shared.get_data_handle();
    }

    private static memory fresh(long bytes) {
        try (memory.desc layout = OneDnn.plain(memory.data_type.u8, bytes)) {
            return OneDnn.allocate(layout);
        }
    }

    /** @return an array of any content, until its owner closes */
    memory array(memory.desc layout, Owned owner) {
        long needed = Math.max(1, layout.get_size());
        Long fitting = idle.ceilingKey(needed);
        boolean fits = fitting != null && fitting <= 2 * needed;
        long capacity = fits ? fitting : needed;
        memory buffer = fits ? take(fitting) : grown(needed);
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

    /** In place of one that is too small, but not by much: each use has one, of the largest size that it has needed. */
    private memory grown(long needed) {
        Long small = idle.lowerKey(needed);
        if (small != null && 2 * small >= needed) {
            take(small).close();
        }
        return fresh(needed);
    }

    /** After all kernels. */
    @Override
    public void close() {
        if (shared != null) {
            shared.close();
            shared = null;
            size = 0;
        }
        for (Map.Entry<Long, Deque<memory>> entry : idle.entrySet()) {
            entry.getValue().forEach(memory::close);
        }
        idle.clear();
    }
}
