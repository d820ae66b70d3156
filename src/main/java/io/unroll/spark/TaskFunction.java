package io.unroll.spark;

import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SerializableWritable;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * The function of a Spark task. A class, not a lambda: for a lambda, Spark parses the byte code of the enclosing class
 * in every job, which takes 5 ms.
 */
final class TaskFunction<I, O>
        extends AbstractFunction2<TaskContext, scala.collection.Iterator<I>, SerializableWritable<?>>
        implements Serializable {
    private final Function<Iterator<I>, O> task;

    private TaskFunction(Function<Iterator<I>, O> task) {
        this.task = task;
    }

    /** Runs a job; see {@link Session#mapPartitions(String, JavaRDD, Function)}. */
    static <I, O> List<O> run(SparkContext context, JavaRDD<I> rdd, Function<Iterator<I>, O> task) {
        NavigableMap<Integer, O> results = new TreeMap<>();
        run(context, rdd, task, results::put);
        return List.copyOf(results.values());
    }

    /** Runs a job; see {@link Session#forEachPartition}. */
    static <I, O> void run(
            SparkContext context, JavaRDD<I> rdd, Function<Iterator<I>, O> task, BiConsumer<Integer, O> results) {
        ResultHandler<O> handler = new ResultHandler<>(results);
        try {
            context.runJob(
                    rdd.rdd(),
                    new TaskFunction<>(task),
                    handler,
                    ClassTag$.MODULE$.<SerializableWritable<?>>apply(SerializableWritable.class));
        } catch (Exception e) {
            throw SparkErrors.ofJob(e);
        }
        handler.orThrow();
    }

    /** Receives each result as soon as its task has ended. */
    private static final class ResultHandler<O> extends AbstractFunction2<Object, SerializableWritable<?>, BoxedUnit> {
        private final BiConsumer<Integer, O> results;
        private final NavigableMap<Integer, TaskResult<O>> failures = new TreeMap<>();

        ResultHandler(BiConsumer<Integer, O> results) {
            this.results = results;
        }

        @Override
        @SuppressWarnings("unchecked")
        public BoxedUnit apply(Object partition, SerializableWritable<?> wrapped) {
            TaskResult<O> result = (TaskResult<O>) JavaSerialized.value(wrapped);
            if (result.isFailure()) {
                failures.put((Integer) partition, result);
            } else {
                results.accept((Integer) partition, result.value());
            }
            return BoxedUnit.UNIT;
        }

        void orThrow() {
            if (!failures.isEmpty()) {
                failures.get(failures.firstKey()).orThrow();
            }
        }
    }

    @Override
    public SerializableWritable<?> apply(TaskContext context, scala.collection.Iterator<I> partition) {
        // Not Scala's converter, whose name depends on Scala's version.
        Iterator<I> elements = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return partition.hasNext();
            }

            @Override
            public I next() {
                return partition.next();
            }
        };
        try {
            return JavaSerialized.of(TaskResult.of(() -> SparkErrors.explained(() -> task.call(elements))));
        } catch (Exception e) {
            return ExceptionUtils.rethrow(e);
        }
    }
}
