package io.unroll.text;

import java.io.InputStream;

/** The bytes of a text, with their origin for messages. */
public abstract class TextInput extends InputStream {
    /** @return the file or table that contains the text */
    public abstract String origin();

    /** @return the offset of the next byte in the (uncompressed) origin */
    public abstract long position();
}
