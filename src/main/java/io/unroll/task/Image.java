package io.unroll.task;

import io.unroll.text.MalformedRowException;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;

/** Images as numbers: {@code [3, side, side]} in 0 to 255; red, green, blue. */
final class Image {
    private static final int WHITE = 255;
    private static final Set<String> FORMATS = Set.of("png", "jpeg", "gif", "bmp");

    /** Of a large image only some pixels are read. */
    private static final int MOST_PER_PIXEL = 8;

    private static final long MAX_PIXELS = 1L << 27;
    private static final long MAX_PIXELS_KEPT = 1L << 26;

    /** What libjpeg says of a file that has lost something, and then fills with gray. */
    private static final String DAMAGE = "(?i).*(premature end|corrupt jpeg data: (?!\\d+ extraneous)).*";

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
     * @param file PNG, JPEG, GIF (of an animation the first picture) or BMP, whatever its name; its sides are scaled to
     *     the one that is wanted by taking means over areas, it is turned upright as Exif says, and what is transparent
     *     becomes white
     * @throws MalformedRowException if it is no such image, or is damaged
     */
    static int[] read(byte[] file, String name, int side) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            ImageReader reader = readers.hasNext() ? readers.next() : null;
            if (reader == null || !FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
                throw new MalformedRowException(name + " is no image: PNG, JPEG, GIF and BMP can be read");
            }
            ImageHeader header = ImageHeader.of(file, name);
            if (header.components() == 4) {
                throw new MalformedRowException(name + " is a CMYK image, which is not supported: convert it to RGB");
            }
            try {
                reader.setInput(in, true, true);
                return scaled(new Upright(read(reader, name, side, header.orientation()), header.orientation()), side);
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

    private static BufferedImage read(ImageReader reader, String name, int side, int orientation) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        int step = Math.max(1, Math.min(width, height) / (MOST_PER_PIXEL * side));
        if ((long) width * height > MAX_PIXELS || (long) (width / step) * (height / step) > MAX_PIXELS_KEPT) {
            throw new MalformedRowException(
                    name + " says that it has " + width + " x " + height + " pixels, which are too many");
        }
        ImageReadParam few = reader.getDefaultReadParam();
        // The same pixels of a picture, whichever way it is stored.
        few.setSourceSubsampling(
                step,
                step,
                Upright.fromRight(orientation) ? (width - 1) % step : 0,
                Upright.fromBottom(orientation) ? (height - 1) % step : 0);
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        BufferedImage image = reader.read(0, few);
        for (String warning : warnings) {
            if (warning.matches(DAMAGE)) {
                throw new MalformedRowException(name + " is damaged: " + warning);
            }
        }
        return image;
    }

    /** An image's pixels as a viewer sees them. */
    private static final class Upright {
        private final BufferedImage image;
        private final int orientation;
        private final Raster raster;
        private final boolean gray;
        private final int most;

        Upright(BufferedImage image, int orientation) {
            this.image = image;
            this.orientation = orientation;
            this.raster = image.getRaster();
            ColorModel colors = image.getColorModel();
            this.gray = colors instanceof ComponentColorModel
                    && colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
            this.most = (1 << colors.getComponentSize(0)) - 1;
        }

        /** Exif counts the eight ways by where the stored first row and first column are seen. */
        static boolean fromRight(int orientation) {
            return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        }

        static boolean fromBottom(int orientation) {
            return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        }

        private boolean isTurned() {
            return orientation > 4;
        }

        int width() {
            return isTurned() ? image.getHeight() : image.getWidth();
        }

        int height() {
            return isTurned() ? image.getWidth() : image.getHeight();
        }

        /** @return alpha, red, green, blue: a byte each */
        int pixel(int x, int y) {
            int column = isTurned() ? y : x;
            int row = isTurned() ? x : y;
            column = fromRight(orientation) ? image.getWidth() - 1 - column : column;
            row = fromBottom(orientation) ? image.getHeight() - 1 - row : row;
            if (!gray) {
                return image.getRGB(column, row);
            }
            // The JDK takes gray for linear, and would make it brighter.
            int value = sample(column, row, 0);
            int alpha = raster.getNumBands() > 1 ? sample(column, row, 1) : WHITE;
            return alpha << 24 | value << 16 | value << 8 | value;
        }

        private int sample(int column, int row, int band) {
            return (raster.getSample(column, row, band) * WHITE + most / 2) / most;
        }
    }

    private static int[] scaled(Upright image, int side) {
        int[] values = new int[3 * side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int[] mean = mean(image, bounds(x, side, image.width()), bounds(y, side, image.height()));
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

    private static int[] mean(Upright image, int[] columns, int[] rows) {
        long[] sums = new long[3];
        for (int y = rows[0]; y < rows[1]; y++) {
            for (int x = columns[0]; x < columns[1]; x++) {
                int pixel = image.pixel(x, y);
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
