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

/** Settings of the native libraries: memory limits, threads and shutdown. */
public final class Natives {
    private static final String LIMIT_PROPERTY = "org.bytedeco.javacpp.maxPhysicalBytes";

    /**
     * JVM options that lift JavaCPP's memory limits. By default JavaCPP allocates nothing once the process is larger
     * than four times its heap, as Unroll's may be; the operating system or the cluster manager limits it instead.
     * JavaCPP reads the options once, on the first use of anything native: pass them when you start a JVM, or call
     * {@link #liftLimits} first.
     */
    public static final String NO_LIMITS_OPTIONS = "-Dorg.bytedeco.javacpp.maxBytes=0 -D" + LIMIT_PROPERTY + "=0";

    /** Native code runs under the read lock. The shutdown hook takes the write lock and keeps it. */
    private static final ReentrantReadWriteLock NATIVE_USE = new ReentrantReadWriteLock();

    private static volatile int threadsOfProcess;

    static {
        for (String option : NO_LIMITS_OPTIONS.split(" ")) {
            String[] pair = option.substring("-D".length()).split("=");
            System.setProperty(pair[0], System.getProperty(pair[0], pair[1]));
        }
        try {
            // On exit the JVM unloads the native libraries, which would crash threads that still run in them.
            Runtime.getRuntime().addShutdownHook(new Thread(NATIVE_USE.writeLock()::lock, "waits for natives"));
        } catch (IllegalStateException e) {
            // The JVM is already shutting down.
        }
    }

    private Natives() {}

    /** Lifts JavaCPP's limits. Must be called before any use of JavaCPP, ND4J or oneDNN; it loads none of them. */
    public static void liftLimits() {
        // The static initializer has done it.
    }

    /**
     * @param bytes memory that the process will need
     * @throws UnrollException if JavaCPP's limit is lower, because JavaCPP was used before {@link #liftLimits}
     */
    public static void checkLimit(long bytes) {
        if (Pointer.maxPhysicalBytes() > 0 && bytes > Pointer.maxPhysicalBytes()) {
            throw new UnrollException("training takes about " + (bytes >> 20) + " MiB of memory, but " + limit());
        }
    }

    /** @return a message for the user if the cause of the error is JavaCPP's limit */
    public static Optional<String> limitReached(OutOfMemoryError e) {
        boolean isJavacppLimit = Pointer.maxPhysicalBytes() > 0
                && ExceptionUtils.getThrowableList(e).stream()
                        .anyMatch(cause -> String.valueOf(cause.getMessage()).contains("physicalBytes"));
        return isJavacppLimit
                ? Optional.of("cannot allocate the network's arrays: the process already uses "
                        + (Pointer.physicalBytes() >> 20) + " MiB, and " + limit())
                : Optional.empty();
    }

    private static String limit() {
        return "JavaCPP allows at most " + (Pointer.maxPhysicalBytes() >> 20) + " MiB: start the JVM with -D"
                + LIMIT_PROPERTY + "=0 (executors with --conf spark.executor.extraJavaOptions=-D" + LIMIT_PROPERTY
                + "=0).";
    }

    /**
     * Runs work that spends more than a few milliseconds in native code; shutdown of the JVM waits for it. A call
     * during shutdown blocks forever.
     */
    public static <T> T delayingShutdown(Supplier<T> work) {
        Lock lock = NATIVE_USE.readLock();
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    /** Like {@link #delayingShutdown}, after {@link #useThreads}. */
    static <T> T withThreads(int threads, Supplier<T> work) {
        return delayingShutdown(() -> {
            useThreads(threads);
            return work.get();
        });
    }

    /**
     * Sets the number of OpenMP threads that oneDNN and ND4J use for the calling thread, whatever
     * {@code OMP_NUM_THREADS} is. A replica is one Spark task, which must not use the cores of other tasks.
     */
    public static void useThreads(int threads) {
        if (threadsOfProcess != threads) {
            setProcessThreads(threads);
        }
        NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
    }

    /** Sets the numbers that apply to the process; all its networks use the same number of threads. */
    private static synchronized void setProcessThreads(int threads) {
        Nd4j.getMemoryManager().togglePeriodicGc(false);
        Nd4j.getEnvironment().setMaxThreads(threads);
        Nd4j.getEnvironment().setMaxMasterThreads(threads);
        Nd4j.factory().blas().setMaxThreads(threads);
        threadsOfProcess = threads;
    }
}
