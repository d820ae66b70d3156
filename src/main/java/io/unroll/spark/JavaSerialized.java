package io.unroll.spark;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.io.Serializable;
import org.apache.hadoop.io.Writable;
import org.apache.spark.SerializableWritable;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/**
 * A value that Spark sends and stores by Java's serialization, whatever {@code spark.serializer} is: Kryo cannot read
 * records, and may be configured to refuse classes that are not registered with it. Spark itself registers
 * {@link SerializableWritable} with Kryo, to be written by Java's serialization.
 */
public final class JavaSerialized implements Writable {
    private Object value;

    /** For Hadoop, which then calls {@link #readFields}. */
    private JavaSerialized() {}

    public static SerializableWritable<?> of(Object value) {
        JavaSerialized serialized = new JavaSerialized();
        serialized.value = value;
        return new SerializableWritable<>(serialized);
    }

    public static Object value(SerializableWritable<?> wrapped) {
        return ((JavaSerialized) wrapped.value()).value;
    }

    @Override
    public void write(DataOutput out) throws IOException {
        ((ObjectOutput) out).writeObject(value);
    }

    @Override
    public void readFields(DataInput in) throws IOException {
        try {
            value = ((ObjectInput) in).readObject();
        } catch (ClassNotFoundException e) {
            throw new IOException(e);
        }
    }

    static <T> JavaRDD<T> unwrap(JavaRDD<SerializableWritable<?>> wrapped) {
        return new JavaRDD<>(wrapped.rdd().map(new Unwrap<T>(), tag()), tag());
    }

    private static <T> ClassTag<T> tag() {
        return ClassTag$.MODULE$.apply(Object.class);
    }

    /** A class, not a lambda: see {@link TaskFunction}. */
    private static final class Unwrap<T> extends AbstractFunction1<SerializableWritable<?>, T> implements Serializable {
        @Override
        @SuppressWarnings("unchecked")
        public T apply(SerializableWritable<?> wrapped) {
            return (T) value(wrapped);
        }
    }

    /** A broadcast of a wrapped value. */
    static final class WrappedBroadcast<T> extends Broadcast<T> {
        private final Broadcast<SerializableWritable<?>> wrapped;

        WrappedBroadcast(Broadcast<SerializableWritable<?>> wrapped) {
            super(wrapped.id(), tag());
            this.wrapped = wrapped;
        }

        @Override
        @SuppressWarnings("unchecked")
        public T getValue() {
            return (T) JavaSerialized.value(wrapped.value());
        }

        @Override
        public void doUnpersist(boolean blocking) {
            wrapped.unpersist(blocking);
        }

        @Override
        public void doDestroy(boolean blocking) {
            wrapped.destroy(blocking);
        }
    }
}
