package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Batch;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Vocabularies;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

abstract class CaptioningTest extends TaskContract {
    private static final List<String> CAPTIONS = List.of("a red circle", "a blue bar", "a red bar", "green triangle");

    static class AsInitialStateTest extends CaptioningTest {
        @Override
        String inject() {
            return "initial-state";
        }

        private static final int BMP_OFFSET_OF_PIXELS = 10;
        private static final int PNG_CHUNK = 12;
        private static final int PNG_WIDTH = 16;
        private static final int PNG_HEADER_END = 29;

        @Test
        void unusableImagesAreRejectedWithTheReason() throws IOException {
            Files.writeString(folder.resolve("text.png"), "not an image");
            assertEquals("text.png is not an image in a supported format (PNG, JPEG, GIF, BMP)", problem("text.png"));
            ByteArrayOutputStream bmp = new ByteArrayOutputStream();
            ImageIO.write(new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB), "bmp", bmp);
            byte[] damaged = bmp.toByteArray();
            damaged[BMP_OFFSET_OF_PIXELS + 3] = -1;
            Files.write(folder.resolve("damaged.bmp"), damaged);
            assertTrue(problem("damaged.bmp").startsWith("damaged.bmp is damaged: "), problem("damaged.bmp"));
            byte[] huge = Files.readAllBytes(folder.resolve("0.png"));
            CRC32 sum = new CRC32();
            ByteBuffer.wrap(huge).putInt(PNG_WIDTH, 1 << 30).putInt(PNG_WIDTH + Integer.BYTES, 100);
            sum.update(huge, PNG_CHUNK, PNG_HEADER_END - PNG_CHUNK);
            ByteBuffer.wrap(huge).putInt(PNG_HEADER_END, (int) sum.getValue());
            Files.write(folder.resolve("huge.png"), huge);
            assertEquals("huge.png has 1073741824 x 100 pixels, which is too many", problem("huge.png"));
        }
    }

    static class AsFirstStepTest extends CaptioningTest {
        @Override
        String inject() {
            return "first-step";
        }
    }

    /** Feature vectors from .npy files. */
    static class FromVectorsTest extends CaptioningTest {
        @Override
        String inject() {
            return "initial-state";
        }

        @Override
        String image() {
            return "features = 3";
        }

        @Override
        String file(int i) {
            return i + ".npy";
        }

        @Override
        byte[] content(String caption) throws IOException {
            String[] words = caption.split(" ");
            INDArray vector = Nd4j.createFromArray(
                    words.length, words[words.length - 2].length(), (float) words[words.length - 1].length());
            return Nd4j.toNpyByteArray(vector);
        }

        @Test
        void unusableVectorsAreRejectedWithTheReason() throws IOException {
            Files.write(folder.resolve("2.npy"), Nd4j.toNpyByteArray(Nd4j.createFromArray(1f, 2)));
            Files.write(folder.resolve("nan.npy"), Nd4j.toNpyByteArray(Nd4j.createFromArray(1, 2, Float.NaN)));
            assertEquals("2.npy contains 2 numbers, but model.image.features is 3", problem("2.npy"));
            assertEquals("nan.npy contains NaN; all numbers must be finite", problem("nan.npy"));
            Files.writeString(folder.resolve("text.npy"), "not a vector");
            assertEquals(
                    "text.npy is not a valid NumPy file (.npy): it does not start with NumPy's signature",
                    problem("text.npy"));
            Files.write(folder.resolve("empty.npy"), new byte[0]);
            assertEquals("empty.npy is not a valid NumPy file (.npy): it ends too early", problem("empty.npy"));
        }
    }

    /** Features that a Deeplearning4j network extracts. */
    static class FromFeatureExtractorTest extends CaptioningTest {
        @Override
        String inject() {
            return "first-step";
        }

        @Override
        String image() {
            return "features = 32, layer = seen, network = \"" + folder.resolve("network.zip") + "\"";
        }

        @BeforeEach
        void writeNetwork() throws IOException {
            MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                    .seed(1)
                    .activation(Activation.RELU)
                    .list()
                    .layer(new ConvolutionLayer.Builder(3, 3).nOut(8).build())
                    .layer(new DenseLayer.Builder().name("seen").nOut(32).build())
                    .layer(new DenseLayer.Builder().nOut(2).build())
                    .setInputType(InputType.convolutional(16, 16, 3))
                    .build());
            network.init();
            ModelSerializer.writeModel(network, folder.resolve("network.zip").toFile(), false);
        }

        @Test
        @Override
        void savedModelAnswersLikeTheOriginal() throws IOException {
            super.savedModelAnswersLikeTheOriginal();
            Files.delete(folder.resolve("network.zip"));
            TrainedModel model = new ModelFolder(folder.resolve("model").toString(), new Configuration()).read();
            assertTrue(!answer(model).isBlank());
        }
    }

    abstract String inject();

    /** @return settings in {@code model.image} */
    String image() {
        return "features = 0";
    }

    String file(int i) {
        return i + ".png";
    }

    /** @return the content of the image file */
    byte[] content(String caption) throws IOException {
        String[] words = caption.split(" ");
        return ShapeImages.png(true, words[words.length - 2], words[words.length - 1], caption.hashCode());
    }

    @BeforeEach
    void writeImages() throws IOException {
        for (int i = 0; i < CAPTIONS.size(); i++) {
            Files.write(folder.resolve(file(i)), content(CAPTIONS.get(i)));
        }
    }

    private List<Row> rows() {
        return IntStream.range(0, CAPTIONS.size())
                .mapToObj(i -> row("image", file(i), "caption", CAPTIONS.get(i)))
                .toList();
    }

    @Override
    String settings() {
        return "task = captioning, corpus { images = i, tokenizer = word }, model.image { side = 16, inject = "
                + inject() + ", " + image() + " }";
    }

    @Override
    double learningRate() {
        return 0.003;
    }

    @Override
    Vocabularies vocabularies() {
        return vocabulariesOf(rows());
    }

    @Override
    List<Batch> batches() {
        return batchOf(rows());
    }

    @Override
    Prompt prompt() throws IOException {
        return prompt("", content("a blue bar"));
    }

    @Override
    boolean isPerfect(Map<String, Object> metrics) {
        return metrics.get("images").equals(CAPTIONS.size())
                && metrics.get("exact_match").equals(1.0)
                && (double) metrics.get("bleu_2") > 0.999;
    }

    @Test
    void unusableRowsAreRejectedWithTheReason() throws IOException {
        assertTrue(problem("9.png").matches("there is no file .*/9.png"));
        assertEquals("its image is empty", problem(""));
        assertEquals("the row has no caption", problem(row("image", file(0))));
    }

    String problem(String image) {
        return problem(row("image", image, "caption", "a"));
    }

    private String problem(Row row) {
        Examples examples = task().examples().orElseThrow();
        return assertThrows(MalformedRowException.class, () -> {
                    examples.check(row);
                    examples.read(row, files());
                })
                .getMessage();
    }
}
