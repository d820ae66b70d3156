package io.unroll.checkpoint;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.unroll.model.FloatArray;
import io.unroll.storage.JsonFile;
import io.unroll.train.ReplicaState;
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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * Reads and writes a checkpoint file. All numbers are big-endian:
 *
 * <pre>
 *   "UNROLLCP" | header length, int | header, JSON | CRC-32C of all preceding bytes, long
 *   arrays of 32-bit floats | CRC-32C of all preceding bytes, long
 * </pre>
 *
 * The header is a {@link Contents} in which the length of an array stands for the array; the arrays follow in the same
 * order: parameters, optimizer, velocity, and for each replica its recurrent arrays and its optimizer.
 */
final class CheckpointFile {
    private static final int MAX_HEADER_BYTES = 1 << 28;
    private static final JsonFile<ObjectNode> HEADER =
            new JsonFile<>("unroll-checkpoint", 2, ObjectNode.class, MAX_HEADER_BYTES);
    private static final long MAGIC =
            ByteBuffer.wrap("UNROLLCP".getBytes(StandardCharsets.US_ASCII)).getLong();

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
    record Contents(String settings, String corpus, RunState state) {
        private boolean isComplete() {
            if (settings == null || corpus == null || state == null || state.snapshot() == null) {
                return false;
            }
            Snapshot s = state.snapshot();
            return s.weights() != null
                    && s.states() != null
                    && s.states().stream().allMatch(CheckpointFile::isComplete)
                    && (state.report() != null || s.round() == 0)
                    && LongStream.of(s.iteration(), s.epoch(), s.chunk(), s.round(), s.tokens())
                            .allMatch(count -> count >= 0);
        }
    }

    private static boolean isComplete(ReplicaState replica) {
        return replica != null
                && replica.recurrent() != null
                && replica.recurrent().arrays() != null;
    }

    static void write(Contents contents, OutputStream target) throws IOException {
        CheckedOutputStream checked = new CheckedOutputStream(target, new CRC32C());
        DataOutputStream out = new DataOutputStream(checked);
        List<float[]> arrays = new ArrayList<>();
        JsonSerializer<float[]> lengths = new JsonSerializer<>() {
            @Override
            public void serialize(float[] array, JsonGenerator header, SerializerProvider provider) throws IOException {
                header.writeNumber(array.length);
                arrays.add(array);
            }
        };
        ObjectMapper mapper = mapper(new SimpleModule().addSerializer(float[].class, lengths));
        byte[] header = HEADER.bytes(mapper.valueToTree(contents));
        out.writeLong(MAGIC);
        out.writeInt(header.length);
        out.write(header);
        out.writeLong(checked.getChecksum().getValue());
        for (float[] array : arrays) {
            FloatArray.write(array, out);
        }
        out.writeLong(checked.getChecksum().getValue());
        out.flush();
    }

    private static ObjectMapper mapper(SimpleModule arrays) {
        return JsonMapper.builder()
                .addModule(arrays)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .visibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
                .build();
    }

    /** Makes an array where the header has its length. */
    private static final class ArrayMaker extends JsonDeserializer<float[]> {
        private final List<float[]> arrays = new ArrayList<>();
        private long bytesLeft;

        ArrayMaker(long bytes) {
            this.bytesLeft = bytes;
        }

        @Override
        public float[] deserialize(JsonParser header, DeserializationContext context) throws IOException {
            int length = header.getIntValue();
            if (length < 0) {
                return context.reportInputMismatch(float[].class, "an array has a negative length");
            }
            bytesLeft -= (long) Float.BYTES * length;
            float[] array = new float[bytesLeft < 0 ? 0 : length];
            arrays.add(array);
            return array;
        }

        @Override
        public float[] getNullValue(DeserializationContext context) throws JsonMappingException {
            return context.reportInputMismatch(float[].class, "an array is missing");
        }
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
        ObjectNode header = HEADER.parse(bytes, name);
        ArrayMaker maker = new ArrayMaker(length - headerBytes - FIXED_BYTES);
        Contents contents = contents(header.path("version").asInt() == 1 ? version2(header) : header, maker);
        for (float[] array : maker.arrays) {
            FloatArray.read(array, in);
        }
        verifyChecksum(checked, in);
        Snapshot snapshot = contents.state().snapshot();
        if (!snapshot.weights().finite() || !new Weights(snapshot.velocity(), snapshot.velocity()).finite()) {
            throw new InvalidCheckpointException("it contains weights that are infinite or NaN");
        }
        return contents;
    }

    private static Contents contents(ObjectNode header, ArrayMaker maker) throws IOException {
        Contents contents;
        try {
            ObjectMapper mapper = mapper(new SimpleModule().addDeserializer(float[].class, maker));
            contents = mapper.treeToValue(header, Contents.class);
        } catch (JsonProcessingException e) {
            throw new InvalidCheckpointException("its header is invalid: " + JsonFile.problem(e));
        }
        if (maker.bytesLeft < 0) {
            throw new EOFException("it ends too early");
        }
        if (maker.bytesLeft > 0 || !contents.isComplete()) {
            throw new InvalidCheckpointException("its length does not match its header");
        }
        return contents;
    }

    /** Converts a header of version 1, in which all fields are on the same level. */
    private static ObjectNode version2(ObjectNode header) {
        ArrayNode states = header.arrayNode();
        for (JsonNode replica : header.path("replicas")) {
            ObjectNode state = states.addObject();
            state.putObject("recurrent").set("arrays", replica.get("recurrent"));
            state.set("optimizer", replica.get("optimizer"));
        }
        ObjectNode snapshot = header.objectNode();
        snapshot.set("weights", header.deepCopy().retain("parameters", "optimizer"));
        snapshot.set("velocity", header.get("velocity"));
        snapshot.set("states", states);
        snapshot.setAll(header.deepCopy().retain("iteration", "epoch", "chunk", "round", "tokens"));
        ObjectNode state = header.deepCopy().retain("report", "validationLoss", "best", "plateau");
        state.set("snapshot", snapshot);
        header.set("state", state);
        return header;
    }

    private static void verifyChecksum(CheckedInputStream checked, DataInputStream in) throws IOException {
        long actual = checked.getChecksum().getValue();
        long expected = in.readLong();
        if (actual != expected) {
            throw new InvalidCheckpointException("its checksum does not match its content");
        }
    }
}
