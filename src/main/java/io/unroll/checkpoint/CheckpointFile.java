package io.unroll.checkpoint;

import io.unroll.model.RecurrentState;
import io.unroll.text.JsonFile;
import io.unroll.train.FloatArray;
import io.unroll.train.ReplicaState;
import io.unroll.train.RoundReport;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.Weights;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * Reads and writes a checkpoint file. All numbers are big-endian:
 *
 * <pre>
 *   "UNROLLCP" | header length, int | header, JSON | CRC-32C of all preceding bytes, long
 *   parameters | optimizer | velocity | per replica: recurrent arrays, optimizer | CRC-32C of all preceding bytes, long
 * </pre>
 *
 * Arrays contain 32-bit floats; the header contains their lengths.
 */
final class CheckpointFile {
    private static final int MAX_HEADER_BYTES = 1 << 28;
    private static final JsonFile<Header> HEADER =
            new JsonFile<>("unroll-checkpoint", 1, Header.class, MAX_HEADER_BYTES);
    private static final long MAGIC = ByteBuffer.wrap("UNROLLCP".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .getLong();

    /** Magic number, header length and two checksums. */
    private static final int FIXED_BYTES = Long.BYTES + Integer.BYTES + 2 * Long.BYTES;

    private CheckpointFile() {}

    /** The file is damaged or is not a checkpoint. */
    static final class InvalidCheckpointException extends IOException {
        private static final long serialVersionUID = 1;

        InvalidCheckpointException(String message) {
            super(message);
        }
    }

    /**
     * The content of a checkpoint file.
     *
     * @param settings effective configuration of the run
     * @param corpus hash of the corpus content
     */
    record Contents(String settings, String corpus, RunState state) {}

    private record Header(
            String settings,
            String corpus,
            int iteration,
            int epoch,
            int chunk,
            int round,
            long tokens,
            RoundReport report,
            Double validationLoss,
            RunState.Best best,
            RunState.Plateau plateau,
            int parameters,
            int optimizer,
            int velocity,
            List<ReplicaLengths> replicas) {
        /** @return total size of the arrays in bytes; -1 if the header is invalid */
        private long arrayBytes() {
            boolean validCounts = iteration >= 0 && epoch >= 0 && chunk >= 0 && round >= 0 && tokens >= 0;
            boolean complete = settings != null && corpus != null && replicas != null;
            if (!validCounts || !complete || (report == null && round > 0) || replicas.contains(null)) {
                return -1;
            }
            List<Integer> lengths = new ArrayList<>(List.of(parameters, optimizer, velocity));
            for (ReplicaLengths replica : replicas) {
                lengths.add(replica.optimizer);
                Arrays.stream(replica.recurrent == null ? new int[] {-1} : replica.recurrent)
                        .forEach(lengths::add);
            }
            boolean negative = lengths.stream().anyMatch(length -> length < 0);
            return negative
                    ? -1
                    : Float.BYTES * lengths.stream().mapToLong(length -> length).sum();
        }
    }

    private record ReplicaLengths(int[] recurrent, int optimizer) {
        static ReplicaLengths of(ReplicaState state) {
            int[] recurrent = Arrays.stream(state.recurrent().arrays())
                    .mapToInt(array -> array.length)
                    .toArray();
            return new ReplicaLengths(recurrent, state.optimizer().length);
        }
    }

    static void write(Contents contents, OutputStream target) throws IOException {
        CheckedOutputStream checked = new CheckedOutputStream(target, new CRC32C());
        DataOutputStream out = new DataOutputStream(checked);
        Snapshot snapshot = contents.state().snapshot();
        byte[] header = HEADER.bytes(header(contents, snapshot));
        out.writeLong(MAGIC);
        out.writeInt(header.length);
        out.write(header);
        out.writeLong(checked.getChecksum().getValue());
        FloatArray.write(snapshot.weights().parameters(), out);
        FloatArray.write(snapshot.weights().optimizer(), out);
        FloatArray.write(snapshot.velocity(), out);
        for (ReplicaState state : snapshot.states()) {
            for (float[] array : state.recurrent().arrays()) {
                FloatArray.write(array, out);
            }
            FloatArray.write(state.optimizer(), out);
        }
        out.writeLong(checked.getChecksum().getValue());
        out.flush();
    }

    private static Header header(Contents contents, Snapshot snapshot) {
        RunState state = contents.state();
        return new Header(
                contents.settings(),
                contents.corpus(),
                snapshot.iteration(),
                snapshot.epoch(),
                snapshot.chunk(),
                snapshot.round(),
                snapshot.tokens(),
                state.report(),
                state.validationLoss(),
                state.best(),
                state.plateau(),
                snapshot.weights().parameters().length,
                snapshot.weights().optimizer().length,
                snapshot.velocity().length,
                snapshot.states().stream().map(ReplicaLengths::of).toList());
    }

    /**
     * Reads a checkpoint and verifies its checksums.
     *
     * @param length length of the file in bytes
     * @param name name of the file, for error messages
     * @throws InvalidCheckpointException if the file is damaged
     * @throws io.unroll.config.UnrollException if a newer version of Unroll has written the file
     */
    static Contents read(InputStream source, long length, String name) throws IOException {
        CheckedInputStream checked = new CheckedInputStream(source, new CRC32C());
        DataInputStream in = new DataInputStream(checked);
        if (in.readLong() != MAGIC) {
            throw new InvalidCheckpointException("it does not start with UNROLLCP");
        }
        int headerBytes = in.readInt();
        if (headerBytes < 0 || headerBytes > Math.min(length, MAX_HEADER_BYTES)) {
            throw new InvalidCheckpointException("its header length is " + headerBytes + " bytes");
        }
        byte[] bytes = in.readNBytes(headerBytes);
        verifyChecksum(checked, in);
        Header header = HEADER.parse(bytes, name);
        long expected = header.arrayBytes() + headerBytes + FIXED_BYTES;
        if (header.arrayBytes() >= 0 && expected > length) {
            throw new EOFException("it ends too early");
        }
        if (expected != length) {
            throw new InvalidCheckpointException("its length does not match its header");
        }
        Weights weights = new Weights(FloatArray.read(header.parameters, in), FloatArray.read(header.optimizer, in));
        float[] velocity = FloatArray.read(header.velocity, in);
        List<ReplicaState> states = new ArrayList<>();
        for (ReplicaLengths replica : header.replicas) {
            float[][] recurrent = new float[replica.recurrent.length][];
            for (int i = 0; i < recurrent.length; i++) {
                recurrent[i] = FloatArray.read(replica.recurrent[i], in);
            }
            states.add(new ReplicaState(new RecurrentState(recurrent), FloatArray.read(replica.optimizer, in)));
        }
        verifyChecksum(checked, in);
        if (!weights.finite() || !new Weights(velocity, velocity).finite()) {
            throw new InvalidCheckpointException("it contains weights that are infinite or NaN");
        }
        return contents(header, weights, velocity, states);
    }

    private static Contents contents(Header header, Weights weights, float[] velocity, List<ReplicaState> states) {
        Snapshot snapshot = new Snapshot(
                weights, velocity, states, header.iteration, header.epoch, header.chunk, header.round, header.tokens);
        return new Contents(
                header.settings,
                header.corpus,
                new RunState(snapshot, header.report, header.validationLoss, header.best, header.plateau));
    }

    private static void verifyChecksum(CheckedInputStream checked, DataInputStream in) throws IOException {
        long actual = checked.getChecksum().getValue();
        long expected = in.readLong();
        if (actual != expected) {
            throw new InvalidCheckpointException("its checksum does not match its content");
        }
    }
}
