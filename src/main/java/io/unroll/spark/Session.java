package io.unroll.spark;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.model.Natives;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import scala.collection.Iterator;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;

/** A Spark application with the configuration that Unroll's jobs need. */
public final class Session implements AutoCloseable {
    private static final String EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions";
    private static final int MAX_TASKS = 50_000;
    /** Higher than the priority of Spark's own hook, so that Spark still runs while Unroll's hook does. */
    private static final int SHUTDOWN_PRIORITY = 100;

    private static final int MAX_SECONDS_TO_CLOSE = 10;
    private static final int MAX_MINUTES_TO_CHECKPOINT = 10;
    /** Copies of the weights on the driver: while it broadcasts, averages and joins them. */
    private static final int DRIVER_COPIES = 6;
    /** Copies of the collected task results: as received, and while they are averaged. */
    private static final int COLLECTED_COPIES = 2;
    /** Heap that Spark itself needs. */
    private static final long SPARK_BYTES = 200L << 20;

    private final CountDownLatch closed = new CountDownLatch(1);
    private final JavaSparkContext context;
    private final Broadcast<SerializableConfiguration> hadoop;

    private Session(JavaSparkContext context) {
        this.context = context;
        this.hadoop = context.broadcast(
                new SerializableConfiguration(PosixLocalFileSystem.configure(context.hadoopConfiguration())));
    }

    /**
     * Starts Spark.
     *
     * @param name shown in Spark's web UI
     * @param threads threads of one task, which become {@code spark.task.cpus}
     * @throws ConfigurationException if Spark does not start, or has fewer cores than threads
     */
    public static Session start(String name, int threads) {
        Natives.liftLimits();
        SparkConf conf = new SparkConf()
                .setIfMissing("spark.master", "local[*]")
                .set("spark.app.name", "unroll " + name)
                // No limit: tasks return weights of any size to the driver.
                .setIfMissing("spark.driver.maxResultSize", "0")
                // Weights of up to 16 MiB return with the task's result; compression does not shrink them.
                .setIfMissing("spark.task.maxDirectResultSize", "16m")
                .setIfMissing("spark.broadcast.compress", "false")
                .set("spark.task.cpus", Integer.toString(threads))
                // Task results are records, which Spark's Kryo cannot deserialize.
                .set("spark.serializer", "org.apache.spark.serializer.JavaSerializer");
        String options = conf.get(EXECUTOR_OPTIONS, "");
        conf.set(EXECUTOR_OPTIONS, (Natives.NO_LIMITS_OPTIONS + " " + options).strip());
        checkCores(conf.get("spark.master"), threads);
        HadoopUser.ensureName();
        try {
            StartChecks.check(conf);
            return new Session(new JavaSparkContext(conf));
        } catch (ConfigurationException e) {
            throw e;
        } catch (Exception e) {
            throw new ConfigurationException(
                    "Spark does not start with master " + conf.get("spark.master") + " ("
                            + ExceptionUtils.getRootCauseMessage(e) + "): give another, such as --master 'local[*]', or"
                            + " correct Spark's settings.",
                    e);
        }
    }

    private static void checkCores(String master, int threads) {
        Matcher local = Pattern.compile("local(?:\\[(\\d+|\\*)(?:,\\d+)?])?").matcher(master);
        if (local.matches()) {
            String cores = local.group(1) == null ? "1" : local.group(1);
            int count = cores.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(cores);
            if (threads > count) {
                throw new ConfigurationException("cluster.threads is " + threads + ", more than the " + count
                        + " cores of " + master + ": lower it, or give Spark more cores.");
            }
        }
    }

    /**
     * Fails if the driver or the executors have too little memory.
     *
     * @param replicaBytes memory of one replica outside the Java heap
     * @param weightBytes size of weights and optimizer state; the driver holds several copies, and in local mode the
     *     copies of the tasks are in the same heap
     * @param keptBytes size of the optimizer states that the replicas keep from round to round
     */
    void checkMemory(int replicas, long replicaBytes, long weightBytes, long keptBytes) {
        ExecutorMemory.check(context.getConf(), replicaBytes);
        long heap = Runtime.getRuntime().maxMemory();
        int tasks = context.isLocal() ? Math.min(replicas, tasksAtOnce()) : 0;
        long needed = SPARK_BYTES
                + weightBytes * (DRIVER_COPIES + tasks * ExecutorInfo.COPIES_PER_TASK)
                + DRIVER_COPIES * keptBytes
                + COLLECTED_COPIES * Math.min(weightBytes * replicas, AveragedRound.MAX_COLLECTED_BYTES);
        if (needed > heap) {
            throw new ConfigurationException("training takes about " + (needed >> 20)
                    + " MiB of the driver's Java heap, which has " + (heap >> 20)
                    + " MiB: give it more, for example jobs/unroll --driver-memory " + ((needed >> 30) + 1)
                    + "g train ...");
        }
        if (context.isLocal()) {
            ExecutorMemory.checkMachine(needed, tasks, replicaBytes);
        }
    }

    private int tasksAtOnce() {
        return Math.max(1, context.defaultParallelism() / context.getConf().getInt("spark.task.cpus", 1));
    }

    /** @return the Hadoop configuration from spark-submit, for work that does not need Spark */
    public static Configuration submittedHadoopConfiguration() {
        HadoopUser.ensureName();
        return PosixLocalFileSystem.configure(SparkHadoopUtil.get().newConfiguration(new SparkConf()));
    }

    public Configuration hadoop() {
        return context.hadoopConfiguration();
    }

    Broadcast<SerializableConfiguration> hadoopBroadcast() {
        return hadoop;
    }

    <T> Broadcast<T> broadcast(T value) {
        return context.broadcast(value);
    }

    /** @return an accumulator that Spark's web UI shows with the tasks that add to it */
    LongAccumulator counter(String name) {
        return context.sc().longAccumulator(name);
    }

    /** Sets the names that Spark's web UI shows for the jobs and stages that are started from now on. */
    void describe(String job, String stage) {
        context.setJobDescription(job);
        context.setCallSite(stage);
    }

    /** @return an RDD with one partition per input, up to 50,000 partitions */
    <I> JavaRDD<I> parallelize(List<I> inputs) {
        return context.parallelize(inputs, Math.min(inputs.size(), MAX_TASKS));
    }

    /**
     * Runs one task for each input.
     *
     * @param description of the job, for Spark's web UI
     * @return the results, in the order of the inputs
     * @throws UnrollException if a task threw one; if several did, that of the first input
     */
    <I, O> List<O> map(String description, List<I> inputs, Function<I, O> task) {
        describe(description, description);
        return map(inputs, task);
    }

    /** Like {@link #map(String, List, Function)}, with the description that was set last. */
    @SuppressWarnings("unchecked")
    <I, O> List<O> map(List<I> inputs, Function<I, O> task) {
        List<TaskResult<O>>[] results = (List<TaskResult<O>>[]) context.sc()
                .runJob(
                        parallelize(inputs).rdd(),
                        new TaskFunction<>(task),
                        ClassTag$.MODULE$.<List<TaskResult<O>>>apply(List.class));
        return Arrays.stream(results)
                .flatMap(List::stream)
                .map(TaskResult::orThrow)
                .toList();
    }

    /** On SIGINT or SIGTERM, runs this work, cancels all jobs and waits until this session is closed. */
    void beforeShutdown(Runnable work) {
        ShutdownHookManager.get()
                .addShutdownHook(
                        () -> {
                            if (closed.getCount() > 0) {
                                try {
                                    work.run();
                                } finally {
                                    cancelJobs();
                                    awaitClosed();
                                }
                            }
                        },
                        SHUTDOWN_PRIORITY,
                        MAX_MINUTES_TO_CHECKPOINT,
                        TimeUnit.MINUTES);
    }

    private void cancelJobs() {
        try {
            context.cancelAllJobs();
        } catch (IllegalStateException e) {
            // The context is closed, so there are no jobs to cancel.
        }
    }

    private void awaitClosed() {
        try {
            closed.await(MAX_SECONDS_TO_CLOSE, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        context.close();
        closed.countDown();
        ExecutorNetworks.close();
    }

    /**
     * Applies a function to each input of a task. A class, not a lambda: for a lambda, Spark parses the byte code of
     * the enclosing class in every job, which takes 5 ms.
     */
    private static final class TaskFunction<I, O>
            extends AbstractFunction2<TaskContext, Iterator<I>, List<TaskResult<O>>> implements Serializable {
        private static final long serialVersionUID = 1;

        private final Function<I, O> task;

        TaskFunction(Function<I, O> task) {
            this.task = task;
        }

        @Override
        public List<TaskResult<O>> apply(TaskContext context, Iterator<I> inputs) {
            List<TaskResult<O>> results = new ArrayList<>();
            while (inputs.hasNext()) {
                results.add(result(inputs.next()));
            }
            return results;
        }

        private TaskResult<O> result(I input) {
            try {
                return TaskResult.of(() -> task.call(input));
            } catch (Exception e) {
                return ExceptionUtils.rethrow(e);
            }
        }
    }
}
