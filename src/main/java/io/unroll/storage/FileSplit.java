package io.unroll.storage;

import java.io.Serializable;

/**
 * A byte range of a corpus file; its ends are not yet moved to the next {@code Boundary}.
 *
 * @param compressed whether the file is compressed; the range is then the entire file
 */
public record FileSplit(String file, long start, long end, boolean compressed) implements Serializable {
    public long length() {
        return end - start;
    }
}
