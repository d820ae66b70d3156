package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelCacheTest {
    private final List<String> events = new ArrayList<>();

    /** A kernel for batches of one size; there is no memory for size 0. */
    private final KernelCache<Integer, AutoCloseable> cache = new KernelCache<>(this::create, this::pack);

    private AutoCloseable create(int size) {
        if (size == 0) {
            throw new IllegalStateException("out of memory");
        }
        events.add("create " + size);
        return () -> events.add("close " + size);
    }

    private void pack(AutoCloseable kernel) {
        events.add("pack");
    }

    @Test
    void packsOnceForEachKernelAndEachChangeOfTheParameters() {
        cache.kernel(1);
        cache.kernel(1);
        cache.parametersChanged();
        cache.kernel(1);
        cache.kernel(1);

        assertEquals(List.of("create 1", "pack", "pack"), events);
    }

    @Test
    void closesTheKernelBeforeItCreatesAnother() {
        cache.kernel(1);
        cache.kernel(2);
        cache.close();
        cache.kernel(2);

        assertEquals(List.of("create 1", "pack", "close 1", "create 2", "pack", "close 2", "create 2", "pack"), events);
    }

    @Test
    void closesEachKernelOnceEvenIfTheNextCannotBeCreated() {
        cache.kernel(1);
        assertThrows(IllegalStateException.class, () -> cache.kernel(0));
        cache.kernel(1);
        cache.close();
        cache.close();

        assertEquals(List.of("create 1", "pack", "close 1", "create 1", "pack", "close 1"), events);
    }
}
