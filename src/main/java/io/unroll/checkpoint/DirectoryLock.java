package io.unroll.checkpoint;

import io.unroll.config.DamagedFileException;
import io.unroll.config.UnrollException;
import io.unroll.text.JsonFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
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

/**
 * A lock file that names the process that writes to a directory, on any Hadoop file system. If the holder runs on this
 * machine, its process id tells whether it is alive. A holder on another machine renews the file; if the file does not
 * change for a minute by this machine's clock, the lock is taken over. Creating a file is not atomic on every file
 * system: of two processes that lock at once, the last writer holds the lock, and the other one finds out at its next
 * {@linkplain #check() check}. The same is true of a holder that was wrongly taken for dead.
 */
public final class DirectoryLock implements AutoCloseable {
    static final JsonFile<Holder> FILE = new JsonFile<>("unroll-lock", 1, Holder.class, 1 << 12);
    private static final Duration RENEWED = Duration.ofSeconds(10);
    private static final Duration ABANDONED = Duration.ofSeconds(60);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final Duration CLOCK_STEP = Duration.ofSeconds(2);

    /** Ids of the locks that this process holds. */
    private static final Set<String> HELD = ConcurrentHashMap.newKeySet();

    private final FileSystem fs;
    private final Path file;
    private final String directory;
    private final Timer timer = new Timer("renews a lock", true);
    private Holder holder;
    private volatile boolean lost;

    /**
     * Who holds a lock.
     *
     * @param machine what processes have in common whose numbers are comparable: kernel and process namespace
     * @param since when the process started
     * @param id of the lock
     * @param renewals so far
     */
    record Holder(String host, String machine, long pid, String since, String id, long renewals) {
        static Holder here() {
            ProcessHandle process = ProcessHandle.current();
            return new Holder(
                    hostHere(),
                    machineHere(),
                    process.pid(),
                    start(process),
                    UUID.randomUUID().toString(),
                    0);
        }

        private static String hostHere() {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                return ManagementFactory.getRuntimeMXBean().getName();
            }
        }

        private static String machineHere() {
            try {
                return Files.readString(java.nio.file.Path.of("/proc/sys/kernel/random/boot_id"))
                                .strip() + " "
                        + Files.readSymbolicLink(java.nio.file.Path.of("/proc/self/ns/pid"));
            } catch (IOException e) {
                return UUID.randomUUID().toString();
            }
        }

        private static String start(ProcessHandle process) {
            return process.info().startInstant().orElse(Instant.EPOCH).toString();
        }

        /** @return whether it has everything that a process writes; otherwise it is being written, or damaged */
        boolean isWhole() {
            try {
                return host != null && machine != null && id != null && Instant.parse(since) != null;
            } catch (DateTimeParseException | NullPointerException e) {
                return false;
            }
        }

        boolean isOfThisMachine() {
            return machine.equals(machineHere());
        }

        /** @return whether that process of this machine is there; not another one of the same number */
        boolean isAlive() {
            if (pid == ProcessHandle.current().pid()) {
                return HELD.contains(id);
            }
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .map(process -> Duration.between(Instant.parse(since), Instant.parse(start(process))))
                    .filter(apart -> apart.abs().compareTo(CLOCK_STEP) <= 0)
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

    /** How often the file is renewed, and how long it may stay as it is. */
    record Times(Duration renewed, Duration abandoned) {}

    private DirectoryLock(Path file, FileSystem fs, String directory, Holder holder) {
        this.file = file;
        this.fs = fs;
        this.directory = directory;
        this.holder = holder;
    }

    /**
     * @param directory that is locked, for messages
     * @param waiting hears why, where it takes a minute to see whether another process is alive
     * @throws UnrollException where another process has it, saying which
     */
    public static DirectoryLock of(Path file, String directory, Configuration hadoop, Consumer<String> waiting) {
        return of(file, directory, hadoop, waiting, Holder.here(), new Times(RENEWED, ABANDONED));
    }

    static DirectoryLock of(
            Path file, String directory, Configuration hadoop, Consumer<String> waiting, Holder holder, Times times) {
        try {
            FileSystem fs = file.getFileSystem(hadoop);
            // Checksums beside a file that is written in its place would be those of another content.
            FileSystem plain = fs instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : fs;
            DirectoryLock lock = new DirectoryLock(plain.makeQualified(file), plain, directory, holder);
            lock.awaitFree(waiting, times);
            lock.take(times);
            return lock;
        } catch (IOException e) {
            throw new UnrollException(
                    "cannot lock " + directory + " by " + file + ": " + DraftFile.reason(e)
                            + ". Fix the cause and run the same command again.",
                    e);
        }
    }

    private void awaitFree(Consumer<String> waiting, Times times) throws IOException {
        OwnFiles.LOCK.checkFile(fs, file);
        Optional<Holder> first = read();
        long end = System.nanoTime() + times.abandoned.toNanos();
        int looks = 0;
        while (System.nanoTime() < end && fs.exists(file)) {
            Optional<Holder> now = read();
            if (now.isPresent() && now.get().isOfThisMachine()) {
                if (now.get().isAlive()) {
                    throw held(now.get());
                }
                return;
            }
            if (now.isPresent() && !now.equals(first)) {
                throw held(now.get());
            }
            // What is empty at the first look is being written.
            if (++looks == 2) {
                waiting.accept(directory + " is locked by "
                        + now.map(Holder::toString).orElse("an unknown process")
                        + ": waiting for up to " + times.abandoned.toSeconds() + " s to see whether that process is "
                        + "still running");
            }
            sleep(LOOK);
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

    private UnrollException held(Holder other) {
        return new UnrollException(directory + " is being written to by " + other + ": wait until it ends, stop it, or"
                + " give another directory.");
    }

    private void take(Times times) throws IOException {
        fs.mkdirs(file.getParent());
        write(holder);
        Optional<Holder> now = read();
        if (!isMine(now)) {
            throw now.map(this::held).orElseThrow(() -> new IOException("it does not keep what is written"));
        }
        HELD.add(holder.id);
        timer.schedule(
                new TimerTask() {
                    @Override
                    public void run() {
                        renew();
                    }
                },
                times.renewed.toMillis(),
                times.renewed.toMillis());
    }

    private synchronized void renew() {
        try {
            if (!HELD.contains(holder.id)) {
                return;
            }
            Optional<Holder> now = read();
            lost = now.isPresent() && !isMine(now);
            if (!lost) {
                holder = holder.renewed();
                write(holder);
            }
        } catch (IOException | UnrollException e) {
            // The place is away for a while: whether the lock is, the next time tells.
        }
    }

    private boolean isMine(Optional<Holder> now) {
        return now.isPresent() && now.get().id.equals(holder.id);
    }

    private void write(Holder content) throws IOException {
        byte[] bytes = FILE.bytes(content);
        try (OutputStream out = fs.create(file, true)) {
            out.write(bytes);
        }
    }

    /** @return empty where there is none, or where it is being written */
    private Optional<Holder> read() throws IOException {
        try (InputStream in = fs.open(file)) {
            byte[] bytes = in.readAllBytes();
            return bytes.length == 0
                    ? Optional.empty()
                    : Optional.of(FILE.parse(bytes, file.toString())).filter(Holder::isWhole);
        } catch (FileNotFoundException | DamagedFileException e) {
            return Optional.empty();
        }
    }

    /** @throws UnrollException where another process has taken the lock meanwhile */
    public void check() {
        if (lost) {
            throw new UnrollException(
                    "another process has taken over " + directory + ", because this process could not renew " + file
                            + ". This process stops; the other one continues.");
        }
    }

    /** As {@link #check}, after another look. */
    public void checkNow() {
        renew();
        check();
    }

    /** Removes the file, if it is still this process'. */
    @Override
    public synchronized void close() {
        timer.cancel();
        try {
            if (HELD.remove(holder.id) && isMine(read())) {
                fs.delete(file, false);
            }
        } catch (IOException | UnrollException e) {
            // It is found abandoned.
        }
    }
}
