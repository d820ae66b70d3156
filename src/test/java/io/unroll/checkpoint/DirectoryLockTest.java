package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryLockTest {
    private static final DirectoryLock.Times QUICK =
            new DirectoryLock.Times(Duration.ofMillis(50), Duration.ofSeconds(2));
    /** No renewal falls into the test: it would show a half-written file. */
    private static final DirectoryLock.Times WITHOUT_RENEWAL =
            new DirectoryLock.Times(Duration.ofMinutes(1), Duration.ofSeconds(2));

    @TempDir
    private Path folder;

    private final List<String> waitMessages = new ArrayList<>();

    @Test
    void aSecondProcessCannotLockUntilTheFirstCloses() {
        DirectoryLock.Holder thisProcess = DirectoryLock.Holder.ofThisProcess();
        try (DirectoryLock lock = lock(thisProcess, WITHOUT_RENEWAL)) {
            lock.checkNow();
            String message = assertThrows(UnrollException.class, () -> lock(DirectoryLock.Holder.ofThisProcess()))
                    .getMessage();
            assertTrue(message.contains("P is being written to by process " + thisProcess.pid() + " on "), message);
            assertTrue(message.endsWith("wait until it ends, stop it, or give another directory."), message);
        }
        assertFalse(Files.exists(file()));
        lock(DirectoryLock.Holder.ofThisProcess()).close();
        assertEquals(List.of(), waitMessages);
    }

    @Test
    void takesOverALockOfADeadLocalProcessAtOnce() throws Exception {
        DirectoryLock.Holder thisProcess = DirectoryLock.Holder.ofThisProcess();
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        for (DirectoryLock.Holder holder : List.of(
                holder(thisProcess, thisProcess.machine(), dead.pid(), thisProcess.since()),
                // The process id now belongs to another process, or, as in a restarted container, to this one.
                holder(thisProcess, thisProcess.machine(), parent, Instant.EPOCH.toString()),
                holder(thisProcess, thisProcess.machine(), thisProcess.pid(), thisProcess.since()))) {
            write(holder);
            lock(thisProcess).close();
        }
        assertEquals(List.of(), waitMessages);
    }

    @Test
    void doesNotTakeOverALockOfARunningLocalProcess() throws Exception {
        DirectoryLock.Holder thisProcess = DirectoryLock.Holder.ofThisProcess();
        ProcessHandle parent = ProcessHandle.current().parent().orElseThrow();
        String start = parent.info().startInstant().orElseThrow().toString();
        write(holder(thisProcess, thisProcess.machine(), parent.pid(), start));

        assertThrows(UnrollException.class, () -> lock(thisProcess));
        assertEquals(List.of(), waitMessages);
    }

    /** Clocks of machines may differ, so only a change of the lock file counts. */
    @Test
    void takesOverALockOfAnotherMachineUnlessItIsRenewed() throws Exception {
        DirectoryLock.Holder thisProcess = DirectoryLock.Holder.ofThisProcess();
        DirectoryLock.Holder other = holder(thisProcess, "another", 1, "2099-01-01T00:00:00Z");
        write(other);
        long start = System.nanoTime();
        lock(thisProcess).close();
        assertTrue(System.nanoTime() - start > QUICK.abandoned().toNanos());
        assertEquals(1, waitMessages.size(), waitMessages.toString());
        assertTrue(waitMessages.get(0).contains("process 1 on "), waitMessages.get(0));

        write(other);
        Thread renewal = new Thread(() -> {
            try {
                Thread.sleep(300);
                write(other.renewed());
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        renewal.start();
        assertThrows(UnrollException.class, () -> lock(thisProcess));
        renewal.join();
    }

    @Test
    void waitsForALockFileThatIsBeingWritten() throws Exception {
        Files.createDirectories(file().getParent());
        Files.write(file(), new byte[0]);
        lock(DirectoryLock.Holder.ofThisProcess()).close();
        assertEquals(1, waitMessages.size());
    }

    @Test
    void renewsTheLockFile() throws Exception {
        try (DirectoryLock lock = lock(DirectoryLock.Holder.ofThisProcess())) {
            String before = Files.readString(file());
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (before.equals(Files.readString(file())) && System.nanoTime() < end) {
                Thread.sleep(20);
            }
            assertFalse(before.equals(Files.readString(file())), before);
            lock.check();
        }
    }

    @Test
    void theLastWriterHoldsTheLock() throws Exception {
        var path = new org.apache.hadoop.fs.Path(file().toString());
        try (DirectoryLock lock = DirectoryLock.acquire(path, "P", new Configuration(), waitMessages::add)) {
            DirectoryLock.Holder other =
                    holder(DirectoryLock.Holder.ofThisProcess(), "another", 7, "2001-01-01T00:00:00Z");
            write(other);
            String message = assertThrows(UnrollException.class, lock::checkNow).getMessage();
            assertTrue(message.contains("another process has taken over P, because"), message);
        }
        assertTrue(Files.readString(file()).contains("another"), "the lock file of the other process was deleted");
    }

    @Test
    void doesNotOverwriteAFileThatIsNotALock() throws Exception {
        Files.createDirectories(file().getParent());
        Files.writeString(file(), "poetry");
        String message = assertThrows(ConfigurationException.class, () -> lock(DirectoryLock.Holder.ofThisProcess()))
                .getMessage();
        assertTrue(message.contains("/.lock was not made by Unroll"), message);
        assertEquals("poetry", Files.readString(file()));
    }

    private static DirectoryLock.Holder holder(DirectoryLock.Holder holder, String machine, long pid, String since) {
        return new DirectoryLock.Holder(holder.host(), machine, pid, since, machine + pid, 0);
    }

    private void write(DirectoryLock.Holder holder) throws IOException {
        Files.createDirectories(file().getParent());
        Files.write(file(), DirectoryLock.FILE.bytes(holder));
    }

    private Path file() {
        return folder.resolve("P/.lock");
    }

    private DirectoryLock lock(DirectoryLock.Holder holder) {
        return lock(holder, QUICK);
    }

    private DirectoryLock lock(DirectoryLock.Holder holder, DirectoryLock.Times times) {
        var path = new org.apache.hadoop.fs.Path(file().toString());
        return DirectoryLock.acquire(path, "P", new Configuration(), waitMessages::add, holder, times);
    }
}
