package io.unroll.model;

import io.unroll.config.UnrollException;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** Settings of the native libraries, and the time when they may be used. */
public final class Natives {
    private static final String LIMIT = "org.bytedeco.javacpp.maxPhysicalBytes";

    /**
     * Lifts JavaCPP's limits, as an option of the JVM: JavaCPP would refuse memory to a process that is larger than
     * four times its heap, and ours may be: the operating system, or who has started it, limits it. JavaCPP reads them
     * once, when anything native is first touched, so whoever starts a JVM gives them, or calls {@link #liftLimits}
     * first.
     */
    public static final String WITHOUT_LIMITS = "-Dorg.bytedeco.javacpp.maxBytes=0 -D" + LIMIT + "=0";

    /** Native code runs under the read lock. The shutdown hook takes the write lock and keeps it. */
    private static final ReentrantReadWriteLock USE = new ReentrantReadWriteLock();

    private static volatile int threadsOfProcess;

    static {
        for (String option : WITHOUT_LIMITS.split(" ")) {
            String[] pair = option.substring("-D".length()).split("=");
            System.setProperty(pair[0], System.getProperty(pair[0], pair[1]));
        }
        try {
            // Exit unloads the native libraries, which crashes threads that are still inside them.
            Runtime.getRuntime().addShutdownHook(new Thread(USE.writeLock()::lock, "waits for natives"));
        } catch (IllegalStateException e) {
            // it is ending already
        }
    }

    private Natives() {}

    /** To be called before anything of JavaCPP, ND4J or oneDNN is; loads none of them. */
    public static void liftLimits() {
        // the class has been initialized
    }

    /**
     * @param bytes of the process that will be needed
     * @throws UnrollException where others have touched JavaCPP first, so that its limit is lower
     */
    public static void checkLimit(long bytes) {
        if (Pointer.maxPhysicalBytes() > 0 && bytes > Pointer.maxPhysicalBytes()) {
            throw new UnrollException("training takes about " + (bytes >> 20) + " MiB of memory, and " + limit());
        }
    }

    /** @return why there is no memory, where that is JavaCPP's limit, which others had set by touching it first */
    public static Optional<String> limitReached(OutOfMemoryError e) {
        boolean isIt = Pointer.maxPhysicalBytes() > 0
                && ExceptionUtils.getThrowableList(e).stream()
                        .anyMatch(each -> String.valueOf(each.getMessage()).contains("physicalBytes"));
        return isIt
                ? Optional.of("there is no memory for the network's arrays: the process has "
                        + (Pointer.physicalBytes() >> 20) + " MiB, and " + limit())
                : Optional.empty();
    }

    private static String limit() {
        return "JavaCPP allows it " + (Pointer.maxPhysicalBytes() >> 20) + " MiB: start the JVM with -D" + LIMIT
                + "=0 (an executor's by --conf spark.executor.extraJavaOptions=-D" + LIMIT + "=0).";
    }

    /**
     * Runs work that spends more than a few milliseconds in native code. Shutdown of the JVM waits for it. A call
     * during shutdown blocks forever.
     */
    public static <T> T toItsEnd(Supplier<T> work) {
        Lock lock = USE.readLock();
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #toItsEnd}, with {@link #useThreads}. */
    static <T> T use(int threads, Supplier<T> work) {
        return toItsEnd(() -> {
            useThreads(threads);
            return work.get();
        });
    }

    /**
     * One replica is one Spark task: its arithmetic must not spread over cores that other tasks own. Holds for the
     * calling thread (oneDNN and ND4J share OpenMP, which counts by thread), whatever {@code OMP_NUM_THREADS} says.
     */
    public static void useThreads(int threads) {
        if (threadsOfProcess != threads) {
            setProcess(threads);
        }
        NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
    }

    /** What is not by thread: networks of one process have the same number. */
    private static synchronized void setProcess(int threads) {
        Nd4j.getMemoryManager().togglePeriodicGc(false);
        Nd4j.getEnvironment().setMaxThreads(threads);
        Nd4j.getEnvironment().setMaxMasterThreads(threads);
        Nd4j.factory().blas().setMaxThreads(threads);
        threadsOfProcess = threads;
    }
}
