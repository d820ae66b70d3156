package io.unroll.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SerializableWritable;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;

/**
 * The function of a Spark task. A class, not a lambda: for a lambda, Spark parses the byte code of the enclosing class
 * in every job, which takes 5 ms.
 */
final class TaskFunction<I, O>
        extends AbstractFunction2<TaskContext, scala.collection.Iterator<I>, SerializableWritable<?>>
        implements Serializable {
    private static final long serialVersionUID = 1;

    private final Function<Iterator<I>, O> task;

    private TaskFunction(Function<Iterator<I>, O> task) {
        this.task = task;
    }

    /** Runs a job; see {@link Session#mapPartitions(String, JavaRDD, Function)}. */
    @SuppressWarnings("unchecked")
    static <I, O> List<O> run(SparkContext context, JavaRDD<I> rdd, Function<Iterator<I>, O> task) {
        ClassTag<SerializableWritable<?>> tag = ClassTag$.MODULE$.apply(SerializableWritable.class);
        try {
            var results = (SerializableWritable<?>[]) context.runJob(rdd.rdd(), new TaskFunction<>(task), tag);
            return Arrays.stream(results)
                    .map(result -> ((TaskResult<O>) JavaSerialized.value(result)).orThrow())
                    .toList();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw SparkErrors.ofJob(e);
        }
    }

    @Override
    public SerializableWritable<?> apply(TaskContext context, scala.collection.Iterator<I> partition) {
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
