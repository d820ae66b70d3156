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
 * A checkpoint in one file, big-endian:
 *
 * <pre>
 *   "UNROLLCP" | length of header, int | header, JSON | CRC-32C of all before, long
 *   parameters | optimizer | velocity | for each replica: recurrent arrays, optimizer | CRC-32C of all before, long
 * </pre>
 *
 * Arrays are floats, and their lengths stand in the header.
 */
final class CheckpointFile {
    private static final int MAX_HEADER_BYTES = 1 << 28;
    private static final JsonFile<Header> HEADER =
            new JsonFile<>("unroll-checkpoint", 1, Header.class, MAX_HEADER_BYTES);
    private static final long MAGIC = ByteBuffer.wrap("UNROLLCP".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .getLong();

    /** Of a file, those that are neither of the header nor of the arrays. */
    private static final int OTHER_BYTES = Long.BYTES + Integer.BYTES + 2 * Long.BYTES;

    private CheckpointFile() {}

    /** The file is not what was written. */
    static final class DamagedException extends IOException {
        private static final long serialVersionUID = 1;

        DamagedException(String message) {
            super(message);
        }
    }

    /**
     * @param settings the run's effective configuration
     * @param corpus hash of the corpus' content
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
        /** @return bytes of all arrays; -1 where there is something that no checkpoint has */
        private long arrayBytes() {
            boolean counts = iteration >= 0 && epoch >= 0 && chunk >= 0 && round >= 0 && tokens >= 0;
            boolean complete = settings != null && corpus != null && replicas != null;
            if (!counts || !complete || (report == null && round > 0) || replicas.contains(null)) {
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
     * @param length of the file, bytes
     * @param name of the file, for messages
     * @throws io.unroll.config.UnrollException where a newer Unroll has written it
     */
    static Contents read(InputStream source, long length, String name) throws IOException {
        CheckedInputStream checked = new CheckedInputStream(source, new CRC32C());
        DataInputStream in = new DataInputStream(checked);
        if (in.readLong() != MAGIC) {
            throw new DamagedException("it does not start as a checkpoint does");
        }
        int headerBytes = in.readInt();
        if (headerBytes < 0 || headerBytes > Math.min(length, MAX_HEADER_BYTES)) {
            throw new DamagedException("its header would be of " + headerBytes + " bytes");
        }
        byte[] bytes = in.readNBytes(headerBytes);
        check(checked, in);
        Header header = HEADER.parse(bytes, name);
        long expected = header.arrayBytes() + headerBytes + OTHER_BYTES;
        if (header.arrayBytes() >= 0 && expected > length) {
            throw new EOFException("it ends too early");
        }
        if (expected != length) {
            throw new DamagedException("its header and its length disagree");
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
        check(checked, in);
        if (!weights.finite() || !new Weights(velocity, velocity).finite()) {
            throw new DamagedException("it holds weights that are infinite or not a number");
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

    private static void check(CheckedInputStream checked, DataInputStream in) throws IOException {
        long actual = checked.getChecksum().getValue();
        long expected = in.readLong();
        if (actual != expected) {
            throw new DamagedException("its checksum is not that of its content");
        }
    }
}
