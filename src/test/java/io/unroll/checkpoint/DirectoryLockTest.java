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

    @TempDir
    private Path folder;

    private final List<String> waited = new ArrayList<>();

    @Test
    void oneHasItUntilItIsClosed() {
        DirectoryLock.Holder here = DirectoryLock.Holder.here();
        try (DirectoryLock one = lock(here)) {
            one.checkNow();
            String message = assertThrows(UnrollException.class, () -> lock(DirectoryLock.Holder.here()))
                    .getMessage();
            assertTrue(message.contains("P is being written to by process " + here.pid() + " on "), message);
            assertTrue(message.endsWith("wait until it ends, stop it, or give another directory."), message);
        }
        assertFalse(Files.exists(file()));
        lock(DirectoryLock.Holder.here()).close();
        assertEquals(List.of(), waited);
    }

    @Test
    void thatOfADeadProcessOfThisMachineIsTakenAtOnce() throws Exception {
        DirectoryLock.Holder here = DirectoryLock.Holder.here();
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        for (DirectoryLock.Holder holder : List.of(
                with(here, here.machine(), dead.pid(), here.since()),
                // The number is another process' by now; or this one's, as in a container that was started again.
                with(here, here.machine(), parent, Instant.EPOCH.toString()),
                with(here, here.machine(), here.pid(), here.since()))) {
            write(holder);
            lock(here).close();
        }
        assertEquals(List.of(), waited);
    }

    @Test
    void thatOfALivingProcessOfThisMachineIsNot() throws Exception {
        DirectoryLock.Holder here = DirectoryLock.Holder.here();
        ProcessHandle parent = ProcessHandle.current().parent().orElseThrow();
        String start = parent.info().startInstant().orElseThrow().toString();
        write(with(here, here.machine(), parent.pid(), start));

        assertThrows(UnrollException.class, () -> lock(here));
        assertEquals(List.of(), waited);
    }

    /** Clocks of machines may differ: nothing but change counts. */
    @Test
    void thatOfAnotherMachineIsTakenWhereNothingRenewsIt() throws Exception {
        DirectoryLock.Holder here = DirectoryLock.Holder.here();
        DirectoryLock.Holder other = with(here, "another", 1, "2099-01-01T00:00:00Z");
        write(other);
        long start = System.nanoTime();
        lock(here).close();
        assertTrue(System.nanoTime() - start > QUICK.abandoned().toNanos());
        assertEquals(1, waited.size(), waited.toString());
        assertTrue(waited.get(0).contains("process 1 on "), waited.get(0));

        write(other);
        Thread renews = new Thread(() -> {
            try {
                Thread.sleep(300);
                write(other.renewed());
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        renews.start();
        assertThrows(UnrollException.class, () -> lock(here));
        renews.join();
    }

    @Test
    void whatIsHalfWrittenIsWaitedFor() throws Exception {
        Files.createDirectories(file().getParent());
        Files.write(file(), new byte[0]);
        lock(DirectoryLock.Holder.here()).close();
        assertEquals(1, waited.size());
    }

    @Test
    void itIsRenewed() throws Exception {
        try (DirectoryLock lock = lock(DirectoryLock.Holder.here())) {
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
    void whoeverWroteLastHasIt() throws Exception {
        var path = new org.apache.hadoop.fs.Path(file().toString());
        try (DirectoryLock lock = DirectoryLock.of(path, "P", new Configuration(), waited::add)) {
            DirectoryLock.Holder other = with(DirectoryLock.Holder.here(), "another", 7, "2001-01-01T00:00:00Z");
            write(other);
            String message = assertThrows(UnrollException.class, lock::checkNow).getMessage();
            assertTrue(message.contains("another process has taken over P, because"), message);
        }
        assertTrue(Files.readString(file()).contains("another"), "it was the other's to remove");
    }

    @Test
    void whatIsNoLockIsNotOverwritten() throws Exception {
        Files.createDirectories(file().getParent());
        Files.writeString(file(), "poetry");
        String message = assertThrows(ConfigurationException.class, () -> lock(DirectoryLock.Holder.here()))
                .getMessage();
        assertTrue(message.contains("/.lock was not made by Unroll"), message);
        assertEquals("poetry", Files.readString(file()));
    }

    private static DirectoryLock.Holder with(DirectoryLock.Holder holder, String machine, long pid, String since) {
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
        var path = new org.apache.hadoop.fs.Path(file().toString());
        return DirectoryLock.of(path, "P", new Configuration(), waited::add, holder, QUICK);
    }
}
