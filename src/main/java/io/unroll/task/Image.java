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

/** Converts image files to pixels: {@code [3, side, side]}; red, green, blue; values from 0 to 255. */
final class Image {
    private static final int WHITE = 255;
    private static final Set<String> FORMATS = Set.of("png", "jpeg", "gif", "bmp");

    /** A large image is subsampled to about this many source pixels per side of an output pixel. */
    private static final int MAX_SAMPLES_PER_SIDE = 8;

    private static final long MAX_PIXELS = 1L << 27;
    private static final long MAX_PIXELS_READ = 1L << 26;

    /** Warnings of libjpeg for a damaged file, whose missing parts it fills with gray. */
    private static final String DAMAGE_WARNING = "(?i).*(premature end|corrupt jpeg data: (?!\\d+ extraneous)).*";

    private Image() {}

    /**
     * @param values pixels, or the bits of float features
     * @return the SHA-256 of the values
     */
    static String hash(int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES);
        bytes.asIntBuffer().put(values);
        return DigestUtils.sha256Hex(bytes.array());
    }

    /**
     * Reads an image, rotates it upright as its Exif orientation says, blends transparent pixels with white, and scales
     * it to {@code side} x {@code side} by averaging over areas.
     *
     * @param file a PNG, JPEG, GIF (the first frame) or BMP; the format does not depend on the name
     * @param name path for messages
     * @throws MalformedRowException if the file is not such an image, or is damaged
     */
    static int[] read(byte[] file, String name, int side) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            ImageReader reader = readers.hasNext() ? readers.next() : null;
            if (reader == null || !FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
                throw new MalformedRowException(name + " is not an image in a supported format (PNG, JPEG, GIF, BMP)");
            }
            ImageHeader header = ImageHeader.of(file, name);
            if (header.components() == 4) {
                throw new MalformedRowException(name + " is a CMYK image, which is not supported: convert it to RGB");
            }
            try {
                reader.setInput(in, true, true);
                return scale(
                        new UprightImage(read(reader, name, side, header.orientation()), header.orientation()), side);
            } finally {
                reader.dispose();
            }
        } catch (MalformedRowException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // For invalid input, the JDK's readers throw all kinds of exceptions.
            throw new MalformedRowException(name + " is damaged: " + ExceptionUtils.getMessage(e));
        }
    }

    private static BufferedImage read(ImageReader reader, String name, int side, int orientation) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        int step = Math.max(1, Math.min(width, height) / (MAX_SAMPLES_PER_SIDE * side));
        if ((long) width * height > MAX_PIXELS || (long) (width / step) * (height / step) > MAX_PIXELS_READ) {
            throw new MalformedRowException(name + " has " + width + " x " + height + " pixels, which is too many");
        }
        ImageReadParam parameters = reader.getDefaultReadParam();
        // Selects the same pixels of an image for every orientation.
        parameters.setSourceSubsampling(
                step,
                step,
                UprightImage.isFlippedX(orientation) ? (width - 1) % step : 0,
                UprightImage.isFlippedY(orientation) ? (height - 1) % step : 0);
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        BufferedImage image = reader.read(0, parameters);
        for (String warning : warnings) {
            if (warning.matches(DAMAGE_WARNING)) {
                throw new MalformedRowException(name + " is damaged: " + warning);
            }
        }
        return image;
    }

    /** Pixels of an image after applying its Exif orientation. */
    private static final class UprightImage {
        private final BufferedImage image;
        private final int orientation;
        private final Raster raster;
        private final boolean gray;
        private final int maxSample;

        UprightImage(BufferedImage image, int orientation) {
            this.image = image;
            this.orientation = orientation;
            this.raster = image.getRaster();
            ColorModel colors = image.getColorModel();
            this.gray = colors instanceof ComponentColorModel
                    && colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
            this.maxSample = (1 << colors.getComponentSize(0)) - 1;
        }

        // Exif defines orientations by where the first stored row and column are in the upright image.
        static boolean isFlippedX(int orientation) {
            return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        }

        static boolean isFlippedY(int orientation) {
            return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        }

        private boolean isTransposed() {
            return orientation > 4;
        }

        int width() {
            return isTransposed() ? image.getHeight() : image.getWidth();
        }

        int height() {
            return isTransposed() ? image.getWidth() : image.getHeight();
        }

        /** @return alpha, red, green and blue, one byte each */
        int pixel(int x, int y) {
            int column = isTransposed() ? y : x;
            int row = isTransposed() ? x : y;
            column = isFlippedX(orientation) ? image.getWidth() - 1 - column : column;
            row = isFlippedY(orientation) ? image.getHeight() - 1 - row : row;
            if (!gray) {
                return image.getRGB(column, row);
            }
            // getRGB would treat gray as linear and make it brighter.
            int value = sample(column, row, 0);
            int alpha = raster.getNumBands() > 1 ? sample(column, row, 1) : WHITE;
            return alpha << 24 | value << 16 | value << 8 | value;
        }

        private int sample(int column, int row, int band) {
            return (raster.getSample(column, row, band) * WHITE + maxSample / 2) / maxSample;
        }
    }

    private static int[] scale(UprightImage image, int side) {
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

    /** @return the range {@code [first, end)} of source pixels that are averaged for output pixel {@code i} */
    private static int[] bounds(int i, int side, int pixels) {
        int first = (int) ((long) i * pixels / side);
        return new int[] {first, Math.max(first + 1, (int) ((i + 1L) * pixels / side))};
    }

    private static int[] mean(UprightImage image, int[] columns, int[] rows) {
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
