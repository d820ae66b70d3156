package io.unroll.task;

import io.unroll.text.MalformedRowException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;

/** Images as numbers: {@code [3, side, side]} in 0 to 255; red, green, blue. */
final class Image {
    private static final int WHITE = 255;

    /** Of a large image only some pixels are read. */
    private static final int MOST_PER_PIXEL = 8;

    private static final long MOST_PIXELS = 1L << 26;

    private Image() {}

    /**
     * @param values pixels, or the bits of features
     * @return for different images different ones
     */
    static String hash(int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES);
        bytes.asIntBuffer().put(values);
        return DigestUtils.sha256Hex(bytes.array());
    }

    /**
     * @param file PNG, JPEG, GIF or BMP; its sides are scaled to the one that is wanted by taking means over areas, and
     *     what is transparent becomes white
     * @throws MalformedRowException where it is no such image
     */
    static int[] read(byte[] file, String name, int side) {
        try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new MalformedRowException(name + " is no image: PNG, JPEG, GIF and BMP can be read");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in);
                return scaled(read(reader, name, side), side);
            } finally {
                reader.dispose();
            }
        } catch (MalformedRowException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // Of bytes that nobody has foreseen, the JDK's readers throw anything.
            throw new MalformedRowException(name + " is damaged: " + ExceptionUtils.getMessage(e));
        }
    }

    private static BufferedImage read(ImageReader reader, String name, int side) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        int step = Math.max(1, Math.min(width, height) / (MOST_PER_PIXEL * side));
        if ((long) (width / step) * (height / step) > MOST_PIXELS) {
            throw new MalformedRowException(
                    name + " says that it has " + width + " x " + height + " pixels, which are too many");
        }
        ImageReadParam few = reader.getDefaultReadParam();
        few.setSourceSubsampling(step, step, 0, 0);
        return reader.read(0, few);
    }

    private static int[] scaled(BufferedImage image, int side) {
        int[] values = new int[3 * side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int[] mean = mean(image, bounds(x, side, image.getWidth()), bounds(y, side, image.getHeight()));
                for (int channel = 0; channel < 3; channel++) {
                    values[(channel * side + y) * side + x] = mean[channel];
                }
            }
        }
        return values;
    }

    /** @return first and end of the pixels that make the i-th of so many */
    private static int[] bounds(int i, int side, int pixels) {
        int first = (int) ((long) i * pixels / side);
        return new int[] {first, Math.max(first + 1, (int) ((i + 1L) * pixels / side))};
    }

    private static int[] mean(BufferedImage image, int[] columns, int[] rows) {
        long[] sums = new long[3];
        for (int y = rows[0]; y < rows[1]; y++) {
            for (int x = columns[0]; x < columns[1]; x++) {
                int pixel = image.getRGB(x, y);
                int alpha = pixel >>> 24;
                for (int channel = 0; channel < 3; channel++) {
                    int value = pixel >> (16 - 8 * channel) & WHITE;
                    sums[channel] += (value * alpha + WHITE * (WHITE - alpha)) / WHITE;
                }
            }
        }
        long pixels = (long) (columns[1] - columns[0]) * (rows[1] - rows[0]);
        return Arrays.stream(sums).mapToInt(sum -> (int) (sum / pixels)).toArray();
    }
}
