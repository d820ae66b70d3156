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

/** A Spark application, set up as Unroll's jobs need it. */
public final class Session implements AutoCloseable {
    private static final String EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions";
    private static final int MOST_TASKS = 50_000;
    private static final int BEFORE_SPARK = 100;
    private static final int SECONDS_TO_CLOSE = 10;
    private static final int MOST_MINUTES_TO_CHECKPOINT = 10;
    private static final int DRIVER_COPIES = 6;
    /** Results of tasks, as they come and as they are averaged. */
    private static final int COLLECTED_COPIES = 2;

    private static final long SPARK_BYTES = 200L << 20;

    private final CountDownLatch closed = new CountDownLatch(1);
    private final JavaSparkContext context;
    private final Broadcast<SerializableConfiguration> hadoop;

    private Session(JavaSparkContext context) {
        this.context = context;
        this.hadoop = context.broadcast(
                new SerializableConfiguration(PosixLocalFileSystem.configure(context.hadoopConfiguration())));
    }

    /** @param threads processor threads of one task */
    public static Session start(String name, int threads) {
        Natives.liftLimits();
        SparkConf conf = new SparkConf()
                .setIfMissing("spark.master", "local[*]")
                .set("spark.app.name", "unroll " + name)
                // The averaged weights come to the driver, whatever their size.
                .setIfMissing("spark.driver.maxResultSize", "0")
                // Weights: up to this size they come straight with a task's end, and compression gains nothing on them.
                .setIfMissing("spark.task.maxDirectResultSize", "16m")
                .setIfMissing("spark.broadcast.compress", "false")
                .set("spark.task.cpus", Integer.toString(threads))
                // Task results are records, which Spark's Kryo cannot read back.
                .set("spark.serializer", "org.apache.spark.serializer.JavaSerializer");
        String options = conf.get(EXECUTOR_OPTIONS, "");
        conf.set(EXECUTOR_OPTIONS, (Natives.WITHOUT_LIMITS + " " + options).strip());
        checkCores(conf.get("spark.master"), threads);
        User.ensure();
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
     * @param replicas that are trained
     * @param replicaBytes what a task will take outside the Java heap
     * @param weightBytes weights and optimizer state, which the driver has as they are broadcast, as their means come
     *     and as they are joined; in local mode the tasks' copies are in the same heap
     * @param keptBytes what the replicas keep for themselves from round to round
     */
    void checkMemory(int replicas, long replicaBytes, long weightBytes, long keptBytes) {
        ExecutorMemory.check(context.getConf(), replicaBytes);
        long heap = Runtime.getRuntime().maxMemory();
        int tasks = context.isLocal() ? Math.min(replicas, tasksAtOnce()) : 0;
        long needed = SPARK_BYTES
                + weightBytes * (DRIVER_COPIES + tasks * Worker.COPIES_OF_A_TASK)
                + DRIVER_COPIES * keptBytes
                + COLLECTED_COPIES * Math.min(weightBytes * replicas, AveragedRound.MAX_COLLECTED_BYTES);
        if (needed > heap) {
            throw new ConfigurationException("training takes about " + (needed >> 20)
                    + " MiB of the driver's Java heap, which has " + (heap >> 20)
                    + " MiB: give it more, as in jobs/unroll --driver-memory " + ((needed >> 30) + 1) + "g train ...");
        }
        if (context.isLocal()) {
            ExecutorMemory.checkMachine(needed, tasks, replicaBytes);
        }
    }

    private int tasksAtOnce() {
        return Math.max(1, context.defaultParallelism() / context.getConf().getInt("spark.task.cpus", 1));
    }

    /** @return Hadoop's configuration as spark-submit gave it, for work that needs no Spark */
    public static Configuration hadoopWithoutSpark() {
        User.ensure();
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

    /** @return a counter that Spark's web page shows beside the tasks that add to it */
    LongAccumulator counter(String name) {
        return context.sc().longAccumulator(name);
    }

    /** Names what is defined and run from here on, as Spark's web page shows it. */
    void name(String job, String stage) {
        context.setJobDescription(job);
        context.setCallSite(stage);
    }

    /** @return a task for each input */
    <I> JavaRDD<I> parallelize(List<I> inputs) {
        return context.parallelize(inputs, Math.min(inputs.size(), MOST_TASKS));
    }

    /**
     * Runs one task for each input.
     *
     * @param description what Spark's web page calls the job
     * @return the results in the order of the inputs
     * @throws UnrollException the first input's, in their order, whose task threw one
     */
    <I, O> List<O> map(String description, List<I> inputs, Function<I, O> task) {
        name(description, description);
        return map(inputs, task);
    }

    /** Like {@link #map(String, List, Function)}, with the names that were given before. */
    @SuppressWarnings("unchecked")
    <I, O> List<O> map(List<I> inputs, Function<I, O> task) {
        List<Outcome<O>>[] results = (List<Outcome<O>>[]) context.sc()
                .runJob(
                        parallelize(inputs).rdd(),
                        new Each<>(task),
                        ClassTag$.MODULE$.<List<Outcome<O>>>apply(List.class));
        return Arrays.stream(results)
                .flatMap(List::stream)
                .map(Outcome::orThrow)
                .toList();
    }

    /** Has something done when the process is told to end; then jobs are cancelled, and this session may close. */
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
                        BEFORE_SPARK,
                        MOST_MINUTES_TO_CHECKPOINT,
                        TimeUnit.MINUTES);
    }

    private void cancelJobs() {
        try {
            context.cancelAllJobs();
        } catch (IllegalStateException e) {
            // the context was closed meanwhile: no job is left to cancel
        }
    }

    private void awaitClosed() {
        try {
            closed.await(SECONDS_TO_CLOSE, TimeUnit.SECONDS);
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
     * A task's work as a class: for lambdas, Spark reads the byte code of the class that holds them in every job, which
     * takes 5 ms.
     */
    private static final class Each<I, O> extends AbstractFunction2<TaskContext, Iterator<I>, List<Outcome<O>>>
            implements Serializable {
        private static final long serialVersionUID = 1;

        private final Function<I, O> task;

        Each(Function<I, O> task) {
            this.task = task;
        }

        @Override
        public List<Outcome<O>> apply(TaskContext context, Iterator<I> inputs) {
            List<Outcome<O>> outcomes = new ArrayList<>();
            while (inputs.hasNext()) {
                outcomes.add(outcome(inputs.next()));
            }
            return outcomes;
        }

        private Outcome<O> outcome(I input) {
            try {
                return Outcome.of(() -> task.call(input));
            } catch (Exception e) {
                return ExceptionUtils.rethrow(e);
            }
        }
    }
}
