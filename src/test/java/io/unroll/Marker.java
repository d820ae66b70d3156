package io.unroll;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Stands for the code of an attacker: records when it is deserialized, and when {@link Loaded} is loaded. */
public final class Marker implements Serializable {
    private static final long serialVersionUID = 1;

    /** The events since the list was cleared. */
    public static final List<String> MARKS = new CopyOnWriteArrayList<>();

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        MARKS.add("deserialized");
    }

    public static byte[] serialized() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new Marker());
        }
        return bytes.toByteArray();
    }

    /** Used only by its name. */
    public static final class Loaded {
        static {
            MARKS.add("loaded");
        }
    }
}
