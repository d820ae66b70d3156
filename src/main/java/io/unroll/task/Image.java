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

/** Images as numbers: {@code [3, side, side]} in 0 to 255; red, green, blue. */
final class Image {
    private static final int WHITE = 255;

    /** Of a large image only some pixels are read. */
    private static final int MOST_PER_PIXEL = 8;

    private Image() {}

    /** @return for different images different ones */
    static String hash(int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length);
        for (int value : values) {
            bytes.put((byte) value);
        }
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
            reader.setInput(in);
            ImageReadParam few = reader.getDefaultReadParam();
            int step = Math.max(1, Math.min(reader.getWidth(0), reader.getHeight(0)) / (MOST_PER_PIXEL * side));
            few.setSourceSubsampling(step, step, 0, 0);
            BufferedImage image = reader.read(0, few);
            reader.dispose();
            return scaled(image, side);
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new MalformedRowException(name + " is damaged: " + e.getMessage());
        }
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
