package io.unroll.checkpoint;

import io.unroll.config.DamagedFileException;
import io.unroll.config.UnrollException;
import io.unroll.storage.AtomicFile;
import io.unroll.storage.JsonFile;
import io.unroll.storage.NewFolders;
import io.unroll.storage.UnrollFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.Set;
import java.util.Timer;
import java.util.TimerTask;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.net.NetUtils;

/**
 * A lock file that names the process that may write to a directory, on any Hadoop file system.
 *
 * <ul>
 *   <li>If the holder runs on this machine, its process id tells whether it is alive.
 *   <li>A holder on another machine renews the file every ten seconds. If the file does not change for a minute by this
 *       machine's clock, the lock is taken over.
 *   <li>Creating a file is not atomic on every file system: if two processes lock at the same time, the last writer
 *       holds the lock, and the other process fails at its next {@linkplain #check() check}. A process whose lock was
 *       taken over although it is alive fails in the same way.
 * </ul>
 */
public final class DirectoryLock implements AutoCloseable {
    static final JsonFile<Holder> FILE = new JsonFile<>("unroll-lock", 1, Holder.class, 1 << 12);
    private static final Times TIMES = new Times(Duration.ofSeconds(10), Duration.ofSeconds(60));
    private static final Duration POLL_INTERVAL = Duration.ofMillis(500);
    private static final Duration START_TIME_TOLERANCE = Duration.ofSeconds(2);

    /** Ids of the locks that this process holds. */
    private static final Set<String> HELD_IDS = ConcurrentHashMap.newKeySet();

    private final FileSystem fs;
    private final Path file;
    private final String directory;
    private final Timer timer = new Timer("lock-renewal", true);
    private final NewFolders newFolders;
    private Holder holder;
    private volatile boolean lost;

    /**
     * The content of the lock file: the process that holds the lock.
     *
     * @param machine boot id and PID namespace; process ids can be compared only if both are the same
     * @param since start time of the process
     * @param id id of the lock
     * @param renewals number of renewals so far
     */
    record Holder(String host, String machine, long pid, String since, String id, long renewals) {
        static Holder ofThisProcess() {
            ProcessHandle process = ProcessHandle.current();
            return new Holder(
                    NetUtils.getLocalHostname(),
                    thisMachine(),
                    process.pid(),
                    startTime(process),
                    UUID.randomUUID().toString(),
                    0);
        }

        private static String thisMachine() {
            try {
                return Files.readString(java.nio.file.Path.of("/proc/sys/kernel/random/boot_id"))
                                .strip() + " "
                        + Files.readSymbolicLink(java.nio.file.Path.of("/proc/self/ns/pid"));
            } catch (IOException e) {
                return UUID.randomUUID().toString();
            }
        }

        private static String startTime(ProcessHandle process) {
            return process.info().startInstant().orElse(Instant.EPOCH).toString();
        }

        /** @return whether all fields are present and valid; otherwise the file is being written, or is damaged */
        boolean isComplete() {
            try {
                return host != null && machine != null && id != null && Instant.parse(since) != null;
            } catch (DateTimeParseException | NullPointerException e) {
                return false;
            }
        }

        boolean isOnThisMachine() {
            return machine.equals(thisMachine());
        }

        /** @return whether the process is running on this machine; a later process with the same id does not count */
        boolean isAlive() {
            if (pid == ProcessHandle.current().pid()) {
                return HELD_IDS.contains(id);
            }
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .map(process -> Duration.between(Instant.parse(since), Instant.parse(startTime(process))))
                    .filter(difference -> difference.abs().compareTo(START_TIME_TOLERANCE) <= 0)
                    .isPresent();
        }

        Holder renewed() {
            return new Holder(host, machine, pid, since, id, renewals + 1);
        }

        @Override
        public String toString() {
            return "process " + pid + " on " + host + ", which started at " + since;
        }
    }

    /**
     * @param renewal interval at which the holder renews the file
     * @param abandoned time without a change after which a lock is taken over
     */
    record Times(Duration renewal, Duration abandoned) {}

    private DirectoryLock(Path file, FileSystem fs, String directory, NewFolders newFolders, Holder holder) {
        this.file = file;
        this.fs = fs;
        this.directory = directory;
        this.newFolders = newFolders;
        this.holder = holder;
    }

    /**
     * Acquires the lock.
     *
     * @param directory the directory to lock, for messages
     * @param waiting called with a message if this waits up to a minute to see whether another process is alive
     * @throws UnrollException naming the process that holds the lock
     */
    public static DirectoryLock acquire(Path file, String directory, Configuration hadoop, Consumer<String> waiting) {
        return acquire(file, directory, hadoop, waiting, Holder.ofThisProcess(), TIMES);
    }

    static DirectoryLock acquire(
            Path file, String directory, Configuration hadoop, Consumer<String> waiting, Holder holder, Times times) {
        try {
            FileSystem fs = file.getFileSystem(hadoop);
            // Without checksum files, which would not match a lock file that another process overwrites.
            FileSystem plain = fs instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : fs;
            Path qualified = plain.makeQualified(file);
            NewFolders newFolders = NewFolders.before(plain, qualified.getParent());
            DirectoryLock lock = new DirectoryLock(qualified, plain, directory, newFolders, holder);
            lock.awaitFree(waiting, times);
            lock.take(times);
            return lock;
        } catch (IOException e) {
            throw new UnrollException(
                    "cannot lock " + directory + " by " + file + ": " + AtomicFile.reason(e)
                            + ". Fix the cause and run the same command again.",
                    e);
        }
    }

    private void awaitFree(Consumer<String> waiting, Times times) throws IOException {
        UnrollFiles.LOCK.checkFile(fs, file);
        Optional<Holder> first = read();
        long end = System.nanoTime() + times.abandoned.toNanos();
        int polls = 0;
        while (System.nanoTime() < end && fs.exists(file)) {
            Optional<Holder> now = read();
            if (now.isPresent() && now.get().isOnThisMachine()) {
                if (now.get().isAlive()) {
                    throw heldBy(now.get());
                }
                return;
            }
            if (now.isPresent() && !now.equals(first)) {
                throw heldBy(now.get());
            }
            // At the first poll, the file may be empty because its process is just writing it.
            if (++polls == 2) {
                waiting.accept(directory + " is locked by "
                        + now.map(Holder::toString).orElse("an unknown process")
                        + ": waiting for up to " + times.abandoned.toSeconds() + " s to see whether that process is "
                        + "still running");
            }
            sleep(POLL_INTERVAL);
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnrollException("interrupted.", e);
        }
    }

    private UnrollException heldBy(Holder other) {
        return new UnrollException(directory + " is being written to by " + other + ": wait until it ends, stop it, or"
                + " give another directory.");
    }

    private void take(Times times) throws IOException {
        fs.mkdirs(file.getParent());
        write(holder);
        Optional<Holder> now = read();
        if (!isThisLock(now)) {
            throw now.map(this::heldBy).orElseThrow(() -> new IOException("the file was written, but cannot be read"));
        }
        HELD_IDS.add(holder.id);
        timer.schedule(
                new TimerTask() {
                    @Override
                    public void run() {
                        renew();
                    }
                },
                times.renewal.toMillis(),
                times.renewal.toMillis());
    }

    private synchronized void renew() {
        try {
            if (!HELD_IDS.contains(holder.id)) {
                return;
            }
            Optional<Holder> now = read();
            lost = now.isPresent() && !isThisLock(now);
            if (!lost) {
                holder = holder.renewed();
                write(holder);
            }
        } catch (IOException | UnrollException e) {
            // The file system may be unavailable for a while: the next renewal checks again.
        }
    }

    private boolean isThisLock(Optional<Holder> now) {
        return now.isPresent() && now.get().id.equals(holder.id);
    }

    private void write(Holder content) throws IOException {
        byte[] bytes = FILE.bytes(content);
        try (OutputStream out = fs.create(file, true)) {
            out.write(bytes);
        }
    }

    /** @return the content of the file; empty if it does not exist or is being written */
    private Optional<Holder> read() throws IOException {
        try (InputStream in = fs.open(file)) {
            byte[] bytes = in.readAllBytes();
            return bytes.length == 0
                    ? Optional.empty()
                    : Optional.of(FILE.parse(bytes, file.toString())).filter(Holder::isComplete);
        } catch (FileNotFoundException | DamagedFileException e) {
            return Optional.empty();
        }
    }

    /** @throws UnrollException if the last renewal found that another process has taken over the lock */
    public void check() {
        if (lost) {
            throw new UnrollException(
                    "another process has taken over " + directory + ", because this process could not renew " + file
                            + ". This process stops; the other one continues.");
        }
    }

    /** Renews the lock, then calls {@link #check}. */
    public void checkNow() {
        renew();
        check();
    }

    /** If this process still holds the lock, deletes the file, and the folders created for it that are empty. */
    @Override
    public synchronized void close() {
        timer.cancel();
        try {
            if (HELD_IDS.remove(holder.id) && isThisLock(read())) {
                fs.delete(file, false);
                newFolders.deleteEmpty();
            }
        } catch (IOException | UnrollException e) {
            // Another process will find the lock abandoned.
        }
    }
}
