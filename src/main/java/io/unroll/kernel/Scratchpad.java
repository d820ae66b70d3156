package io.unroll.kernel;

import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.Pointer;

/** Working memory that the kernels of one network use in turn; it grows to what the largest of them needs. */
public final class Scratchpad implements AutoCloseable {
    private memory data;
    private long size;

    /** @return at least so many bytes, whose content is lost at the next call */
    Pointer bytes(long needed) {
        if (needed > size) {
            close();
            data = OneDnn.allocate(OneDnn.plain(memory.data_type.u8, needed));
            size = needed;
        }
        return data.get_data_handle();
    }

    @Override
    public void close() {
        if (data != null) {
            data.close();
            data = null;
            size = 0;
        }
    }
}
