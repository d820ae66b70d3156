package io.unroll.spark;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.model.Natives;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SerializableWritable;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.runtime.BoxedUnit;

/**
 * Runs Unroll's jobs on Spark: starts a Spark application with the configuration that they need, or uses that of a caller
 * without changing it. What the jobs send and store works with any {@code spark.serializer}.
 */
public final class Session implements AutoCloseable {
    private static final String EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions";
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final String JOB_DESCRIPTION = "spark.job.description";
    private static final String STAGE_DESCRIPTION = "callSite.short";
    private static final Pattern LOCAL = Pattern.compile("local(?:\\[(\\d+|\\*)(?: *, *\\d+)?])?");
    /** How much of a corpus a task reads or writes, in bytes or characters. */
    static final long TASK_BYTES = 16L << 20;
    /** Bytes that can be read in the time that it takes to open a file. */
    private static final long OPEN_COST_BYTES = 64L << 10;

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
    private final boolean stopsContext;
    private final Supplier<SparkSession> sql;
    private final Broadcast<SerializableConfiguration> hadoop;
    private final List<Runnable> shutdownHooks = new ArrayList<>();

    private Session(JavaSparkContext context, boolean stopsContext, Supplier<SparkSession> sql) {
        this.context = context;
        this.stopsContext = stopsContext;
        this.sql = sql;
        this.hadoop = context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
    }

    /**
     * Uses the Spark session of a caller and does not change it: it sets nothing in its configuration and does not stop
     * it. A task has the cores of {@code spark.task.cpus}, whatever {@code cluster.threads} is.
     */
    public static Session of(SparkSession spark) {
        Natives.liftLimits();
        return new Session(JavaSparkContext.fromSparkContext(spark.sparkContext()), false, () -> spark);
    }

    /** Like {@link #of(SparkSession)}. */
    public static Session of(JavaSparkContext context) {
        Natives.liftLimits();
        return new Session(context, false, () -> sql(context));
    }

    private static SparkSession sql(JavaSparkContext context) {
        return SparkSession.builder().sparkContext(context.sc()).getOrCreate();
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
                // Spark creates this folder, by default in the working directory.
                .setIfMissing(
                        "spark.sql.warehouse.dir", "file:" + System.getProperty("java.io.tmpdir") + "/spark-warehouse")
                // Queries parse times without a zone; the same rows must mean the same on any machine.
                .setIfMissing("spark.sql.session.timeZone", "UTC")
                // The summary of scores is a query of many columns, about which Spark would warn.
                .setIfMissing("spark.sql.debug.maxToStringFields", "1000")
                .set("spark.task.cpus", Integer.toString(threads));
        String options = conf.get(EXECUTOR_OPTIONS, "");
        conf.set(EXECUTOR_OPTIONS, (Natives.NO_LIMITS_OPTIONS + " " + options).strip());
        checkCores(conf.get("spark.master"), threads);
        HadoopUser.ensureName();
        try {
            StartChecks.check(conf);
            JavaSparkContext context = new JavaSparkContext(conf);
            PosixLocalFileSystem.configure(context.hadoopConfiguration());
            return new Session(context, true, () -> sql(context));
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

    /** @return the cores that Spark uses in local mode; 0 on a cluster */
    private static int localCores(String master) {
        Matcher local = LOCAL.matcher(master);
        if (!local.matches()) {
            return 0;
        }
        String cores = Objects.requireNonNullElse(local.group(1), "1");
        return cores.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(cores);
    }

    private static void checkCores(String master, int threads) {
        int cores = localCores(master);
        if (cores > 0 && threads > cores) {
            throw new ConfigurationException("cluster.threads is " + threads + ", more than the " + cores + " cores of "
                    + master + ": lower it, or give Spark more cores.");
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
        long results =
                Math.max(weightBytes, Math.min(weightBytes * replicas, AveragedRound.MAX_COLLECTED_BYTES)) + keptBytes;
        long limit = context.getConf().getSizeAsBytes("spark.driver.maxResultSize", "1g");
        if (limit > 0 && results > limit) {
            throw new ConfigurationException("the results of a round take about " + (results >> 20)
                    + " MiB, more than spark.driver.maxResultSize, " + (limit >> 20)
                    + " MiB: set it to 0, for no limit.");
        }
        if (context.isLocal()) {
            ExecutorMemory.checkMachine(needed, tasks, replicaBytes);
        }
    }

    /** @return concurrent tasks in local mode */
    private int tasksAtOnce() {
        return Math.max(1, localCores(context.master()) / context.getConf().getInt("spark.task.cpus", 1));
    }

    /** @return the Hadoop configuration from spark-submit, for work that does not need Spark */
    public static Configuration submittedHadoopConfiguration() {
        HadoopUser.ensureName();
        return PosixLocalFileSystem.configure(SparkHadoopUtil.get().newConfiguration(new SparkConf()));
    }

    public Configuration hadoop() {
        return context.hadoopConfiguration();
    }

    public Broadcast<SerializableConfiguration> hadoopBroadcast() {
        return hadoop;
    }

    public <T> Broadcast<T> broadcast(T value) {
        return new JavaSerialized.WrappedBroadcast<>(context.broadcast(JavaSerialized.of(value)));
    }

    /** @return an accumulator that Spark's web UI shows with the tasks that add to it */
    LongAccumulator counter(String name) {
        return context.sc().longAccumulator(name);
    }

    /** Runs work whose jobs have these names in Spark's web UI. */
    public <T> T describe(String job, String stage, Supplier<T> work) {
        String jobBefore = context.getLocalProperty(JOB_DESCRIPTION);
        String stageBefore = context.getLocalProperty(STAGE_DESCRIPTION);
        context.setLocalProperty(JOB_DESCRIPTION, job);
        context.setLocalProperty(STAGE_DESCRIPTION, stage);
        try {
            return work.get();
        } finally {
            context.setLocalProperty(JOB_DESCRIPTION, jobBefore);
            context.setLocalProperty(STAGE_DESCRIPTION, stageBefore);
        }
    }

    SparkSession sql() {
        return sql.get();
    }

    /** @return whether a table with this name ends with the session: its catalog is Spark's own, in memory */
    boolean forgets(String table) {
        String first = table.substring(0, Math.max(0, table.indexOf('.')));
        boolean isCatalog = !first.isEmpty()
                && sql().conf().getOption("spark.sql.catalog." + first).isDefined();
        String catalog = isCatalog ? first : sql().catalog().currentCatalog();
        String implementation = sql().conf().get("spark.sql.catalog.spark_catalog", "");
        return stopsContext
                && catalog.equals("spark_catalog")
                // Delta's catalog delegates to Spark's.
                && (List.of("", "builtin").contains(implementation)
                        || implementation.startsWith("org.apache.spark.sql.delta."))
                && sql().conf().get("spark.sql.catalogImplementation").equals("in-memory");
    }

    /**
     * @return a copy of the SQL session that reads partition columns as texts (a folder label=007 is not the number 7),
     *     and divides files among all cores: Spark's own parts of up to 128 MiB would be minutes of work
     */
    SparkSession sqlWithTextPartitions() {
        SparkSession copy = sql().newSession();
        sql().conf().getAll().foreach(setting -> {
            if (!copy.conf().getOption(setting._1()).contains(setting._2())) {
                try {
                    copy.conf().set(setting._1(), setting._2());
                } catch (Exception e) {
                    LOG.debug("{} is a setting of the application, which all sessions have", setting._1(), e);
                }
            }
            return BoxedUnit.UNIT;
        });
        copy.catalog().setCurrentCatalog(sql().catalog().currentCatalog());
        copy.catalog().setCurrentDatabase(sql().catalog().currentDatabase());
        copy.conf().set("spark.sql.sources.partitionColumnTypeInference.enabled", false);
        copy.conf().set("spark.sql.files.maxPartitionBytes", TASK_BYTES);
        copy.conf().set("spark.sql.files.openCostInBytes", OPEN_COST_BYTES);
        return copy;
    }

    /**
     * Shuffles rows as Spark's binary rows, which are compact and need no serializer.
     *
     * @throws UnrollException if a row cannot be read; adaptive execution runs the shuffle here
     */
    <I, O> JavaRDD<O> shuffle(
            JavaRDD<I> rows, Encoder<I> encoder, java.util.function.Function<Dataset<I>, Dataset<O>> shuffle) {
        try {
            return shuffle.apply(sql().createDataset(rows.rdd(), encoder)).toJavaRDD();
        } catch (Exception e) {
            throw SparkErrors.ofJob(e);
        }
    }

    <T> JavaRDD<T> union(List<JavaRDD<T>> parts) {
        return parts.stream().reduce(JavaRDD::union).orElseGet(context::emptyRDD);
    }

    /** @return an RDD with one partition per input, up to 50,000 partitions */
    <I> JavaRDD<I> parallelize(List<I> inputs) {
        List<SerializableWritable<?>> wrapped = new ArrayList<>();
        inputs.forEach(input -> wrapped.add(JavaSerialized.of(input)));
        return JavaSerialized.unwrap(context.parallelize(wrapped, Math.max(1, Math.min(inputs.size(), MAX_TASKS))));
    }

    /** @return an RDD with the elements of each part in one partition, up to 50,000 partitions */
    <I> JavaRDD<I> parallelizeParts(List<List<I>> parts) {
        return parallelize(parts).flatMap(List::iterator);
    }

    /**
     * Runs one task for each input.
     *
     * @param description of the job, for Spark's web UI
     * @return the results, in the order of the inputs
     * @throws UnrollException if a task threw one; if several did, that of the first input
     */
    <I, O> List<O> map(String description, List<I> inputs, Function<I, O> task) {
        return mapPartitions(description, parallelize(inputs).map(task), results -> IteratorUtils.toList(results))
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Runs one task for each partition.
     *
     * @param description of the job, for Spark's web UI
     * @return the results, in the order of the partitions
     * @throws UnrollException if a task threw one, or a file cannot be read; that of the first partition
     */
    <I, O> List<O> mapPartitions(String description, JavaRDD<I> rdd, Function<Iterator<I>, O> task) {
        return describe(description, description, () -> TaskFunction.run(context.sc(), rdd, task));
    }

    /**
     * Runs one task for each partition, without keeping the results.
     *
     * @param results receives each result when its task has ended, in any order, one at a time
     * @throws UnrollException as {@link #mapPartitions(String, JavaRDD, Function)} does
     */
    <I, O> void forEachPartition(
            String description, JavaRDD<I> rdd, Function<Iterator<I>, O> task, Consumer<O> results) {
        describe(description, description, () -> {
            TaskFunction.run(context.sc(), rdd, task, (partition, result) -> results.accept(result));
            return null;
        });
    }

    /** Like {@link #mapPartitions(String, JavaRDD, Function)}, within {@link #describe}. */
    <I, O> List<O> mapPartitions(JavaRDD<I> rdd, Function<Iterator<I>, O> task) {
        return TaskFunction.run(context.sc(), rdd, task);
    }

    /** On SIGINT or SIGTERM, runs this work, cancels all jobs and waits until this session is closed. */
    void beforeShutdown(Runnable work) {
        Runnable hook = () -> {
            if (closed.getCount() > 0) {
                try {
                    work.run();
                } finally {
                    cancelJobs();
                    awaitClosed();
                }
            }
        };
        shutdownHooks.add(hook);
        ShutdownHookManager.get().addShutdownHook(hook, SHUTDOWN_PRIORITY, MAX_MINUTES_TO_CHECKPOINT, TimeUnit.MINUTES);
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
        if (stopsContext) {
            context.close();
        } else if (!context.sc().isStopped()) {
            hadoop.destroy();
        }
        closed.countDown();
        try {
            shutdownHooks.forEach(ShutdownHookManager.get()::removeShutdownHook);
        } catch (IllegalStateException e) {
            // The process is shutting down.
        }
        IdlePool.close();
    }
}
