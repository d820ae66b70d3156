package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.text.MalformedRowException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An image yields the same pixels in every storage format; files that are not valid images are rejected. */
class ImageTest {
    private static final int SIDE = 8;
    private static final int WIDTH = 20;
    private static final int HEIGHT = 13;
    /** Maximum difference of pixels after JPEG compression. */
    private static final int TOLERANCE = 8;

    private static int gray(int x, int y) {
        return (x * 9 + y * 5) % 256;
    }

    private static BufferedImage gray(int type) {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, type);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                if (type == BufferedImage.TYPE_BYTE_GRAY || type == BufferedImage.TYPE_USHORT_GRAY) {
                    int scale = type == BufferedImage.TYPE_BYTE_GRAY ? 1 : 257;
                    image.getRaster().setSample(x, y, 0, gray(x, y) * scale);
                } else {
                    image.setRGB(x, y, 0xFF000000 | gray(x, y) * 0x010101);
                }
            }
        }
        return image;
    }

    /** A shape without symmetry. */
    private static BufferedImage drawn(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.GRAY);
        graphics.fillRect(0, 0, width, height);
        graphics.setColor(Color.RED);
        graphics.fillRect(0, 0, width / 2, height / 2);
        graphics.setColor(Color.BLUE);
        graphics.fillRect(width / 2, height / 2, width / 4, height / 4);
        graphics.dispose();
        return image;
    }

    private static byte[] bytes(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, format, out), format);
        return out.toByteArray();
    }

    private static byte[] progressive(BufferedImage image, String format) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
        ImageWriteParam param = writer.getDefaultWriteParam();
        param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static int[] read(byte[] file) {
        return Image.read(file, "a picture", SIDE);
    }

    @Test
    void readsGrayAlikeFromEveryFormat() throws IOException {
        int[] expected = read(bytes(gray(BufferedImage.TYPE_INT_RGB), "png"));
        BufferedImage alpha = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_ARGB);
        alpha.setData(gray(BufferedImage.TYPE_INT_ARGB).getData());
        List<BufferedImage> same = List.of(
                gray(BufferedImage.TYPE_BYTE_GRAY),
                gray(BufferedImage.TYPE_USHORT_GRAY),
                alpha,
                grayWithAlpha(DataBuffer.TYPE_BYTE, 1),
                grayWithAlpha(DataBuffer.TYPE_USHORT, 257),
                sixteenBitColor(),
                palette());
        for (BufferedImage image : same) {
            assertArrayEquals(expected, read(bytes(image, "png")), image.toString());
        }
        assertArrayEquals(expected, read(progressive(gray(BufferedImage.TYPE_BYTE_GRAY), "png")), "interlaced");
        assertArrayEquals(expected, read(bytes(gray(BufferedImage.TYPE_BYTE_GRAY), "gif")), "gif");
        assertArrayEquals(expected, read(bytes(gray(BufferedImage.TYPE_BYTE_GRAY), "bmp")), "bmp");
        assertArrayEquals(expected, read(bytes(palette(), "bmp")), "bmp with a palette");
    }

    @Test
    void readsGrayJpegsLikeColorJpegs() throws IOException {
        int[] expected = read(bytes(gray(BufferedImage.TYPE_INT_RGB), "jpeg"));
        assertNear(expected, read(bytes(gray(BufferedImage.TYPE_BYTE_GRAY), "jpeg")), "gray");
        assertNear(expected, read(progressive(gray(BufferedImage.TYPE_BYTE_GRAY), "jpeg")), "progressive");
        assertNear(expected, read(bytes(gray(BufferedImage.TYPE_BYTE_GRAY), "png")), "png");
    }

    private static void assertNear(int[] expected, int[] actual, String what) {
        int maxDifference = IntStream.range(0, expected.length)
                .map(i -> Math.abs(expected[i] - actual[i]))
                .max()
                .orElseThrow();
        assertTrue(maxDifference <= TOLERANCE, what + " differs by " + maxDifference);
    }

    private static BufferedImage grayWithAlpha(int type, int scale) {
        ComponentColorModel model = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_GRAY), true, false, ComponentColorModel.TRANSLUCENT, type);
        WritableRaster raster = model.createCompatibleWritableRaster(WIDTH, HEIGHT);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                raster.setPixel(x, y, new int[] {gray(x, y) * scale, 255 * scale});
            }
        }
        return new BufferedImage(model, raster, false, null);
    }

    private static BufferedImage sixteenBitColor() {
        ComponentColorModel model = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                false,
                false,
                ComponentColorModel.OPAQUE,
                DataBuffer.TYPE_USHORT);
        WritableRaster raster = model.createCompatibleWritableRaster(WIDTH, HEIGHT);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                int value = gray(x, y) * 257;
                raster.setPixel(x, y, new int[] {value, value, value});
            }
        }
        return new BufferedImage(model, raster, false, null);
    }

    private static BufferedImage palette() {
        byte[] values = new byte[256];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (255 - i);
        }
        BufferedImage image = new BufferedImage(
                WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 256, values, values, values));
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                image.getRaster().setSample(x, y, 0, 255 - gray(x, y));
            }
        }
        return image;
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 2, 1})
    void readsGrayOfFewBits(int bits) throws IOException {
        int maxValue = (1 << bits) - 1;
        BufferedImage plain = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        byte[] rows = new byte[SIDE * (1 + SIDE * bits / 8)];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                int value = (x + y) % (maxValue + 1);
                plain.setRGB(x, y, value * 255 / maxValue * 0x010101);
                rows[y * (1 + SIDE * bits / 8) + 1 + x * bits / 8] |= (byte) (value << (8 - bits - x * bits % 8));
            }
        }
        assertArrayEquals(read(bytes(plain, "png")), read(png(SIDE, SIDE, bits, 0, rows)));
    }

    /** @param rows scan lines, each after its filter byte */
    private static byte[] png(int width, int height, int bits, int colorType, byte[] rows, byte[]... chunks)
            throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(packed)) {
            deflater.write(rows);
        }
        byte[] header = ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put(new byte[] {(byte) bits, (byte) colorType, 0, 0, 0})
                .array();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("\u0089PNG\r\n\u001A\n".getBytes(StandardCharsets.ISO_8859_1));
        out.writeBytes(chunk("IHDR", header));
        for (byte[] chunk : chunks) {
            out.writeBytes(chunk);
        }
        out.writeBytes(chunk("IDAT", packed.toByteArray()));
        out.writeBytes(chunk("IEND", new byte[0]));
        return out.toByteArray();
    }

    private static byte[] chunk(String name, byte[] data) {
        CRC32 sum = new CRC32();
        sum.update(name.getBytes(StandardCharsets.ISO_8859_1));
        sum.update(data);
        return ByteBuffer.allocate(12 + data.length)
                .putInt(data.length)
                .put(name.getBytes(StandardCharsets.ISO_8859_1))
                .put(data)
                .putInt((int) sum.getValue())
                .array();
    }

    @Test
    void transparentPixelsBecomeWhite() throws IOException {
        BufferedImage half = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_ARGB);
        half.setRGB(0, 0, 0xFF0000FF);
        int[] values = read(bytes(half, "png"));
        assertEquals(List.of(0, 0, 255), List.of(values[0], values[SIDE * SIDE], values[2 * SIDE * SIDE]));
        assertEquals(255, values[1]);
        byte[] gray = new byte[SIDE * (SIDE + 1)];
        gray[1] = 100;
        int[] keyed = read(png(SIDE, SIDE, 8, 0, gray, chunk("tRNS", new byte[] {0, 0})));
        assertEquals(List.of(100, 255), List.of(keyed[0], keyed[1]), "black is transparent");
    }

    /** All eight orientations of the Exif standard. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void appliesTheOrientation(int orientation) throws IOException {
        for (int scale : List.of(1, 9)) {
            BufferedImage upright = drawn(64 * scale, 96 * scale);
            BufferedImage stored = stored(upright, orientation);
            for (ByteOrder order : List.of(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)) {
                byte[] exif = exif(orientation, order);
                byte[] jpeg = withSegment(bytes(stored, "jpeg"), exif);
                assertNear(read(bytes(upright, "jpeg")), read(jpeg), "jpeg, " + order + ", x " + scale);
                byte[] png = bytes(stored, "png");
                int header = 8 + 25;
                byte[] withExif = ByteBuffer.allocate(png.length + exif.length + 12)
                        .put(png, 0, header)
                        .put(chunk("eXIf", exif))
                        .put(png, header, png.length - header)
                        .array();
                assertArrayEquals(read(bytes(upright, "png")), read(withExif), "png, " + order + ", x " + scale);
            }
        }
    }

    /** Follows the table of the standard, which says where the first stored row and column are in the upright image. */
    private static BufferedImage stored(BufferedImage upright, int orientation) {
        boolean transposed = orientation > 4;
        int width = transposed ? upright.getHeight() : upright.getWidth();
        int height = transposed ? upright.getWidth() : upright.getHeight();
        BufferedImage stored = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int fromRight = upright.getWidth() - 1 - (transposed ? row : column);
                int fromBottom = upright.getHeight() - 1 - (transposed ? column : row);
                int fromLeft = transposed ? row : column;
                int fromTop = transposed ? column : row;
                int x = List.of(2, 3, 6, 7).contains(orientation) ? fromRight : fromLeft;
                int y = List.of(3, 4, 7, 8).contains(orientation) ? fromBottom : fromTop;
                stored.setRGB(column, row, upright.getRGB(x, y));
            }
        }
        return stored;
    }

    private static byte[] exif(int orientation, ByteOrder order) {
        ByteBuffer tiff = ByteBuffer.allocate(26).order(order);
        tiff.putChar(order == ByteOrder.BIG_ENDIAN ? (char) 0x4D4D : (char) 0x4949)
                .putChar((char) 42)
                .putInt(8)
                .putChar((char) 1)
                .putChar((char) 0x0112)
                .putChar((char) 3)
                .putInt(1)
                .putChar((char) orientation);
        return tiff.array();
    }

    private static byte[] withSegment(byte[] jpeg, byte[] exif) {
        byte[] name = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(jpeg.length + 4 + name.length + exif.length)
                .put(jpeg, 0, 2)
                .putChar((char) 0xFFE1)
                .putChar((char) (2 + name.length + exif.length))
                .put(name)
                .put(exif)
                .put(jpeg, 2, jpeg.length - 2)
                .array();
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpeg", "gif", "bmp"})
    void rejectsTruncatedFiles(String format) throws IOException {
        byte[] file = bytes(drawn(WIDTH, HEIGHT), format);
        for (double share : new double[] {0.5, 0.7, 0.9}) {
            problem(Arrays.copyOf(file, (int) (file.length * share)));
        }
    }

    @Test
    void rejectsPngWithAChangedByte() throws IOException {
        byte[] file = bytes(drawn(WIDTH, HEIGHT), "png");
        for (int at = 50; at < file.length - 20; at += 7) {
            byte[] changed = file.clone();
            changed[at] ^= 4;
            assertTrue(problem(changed).startsWith("a picture is damaged: "), problem(changed));
        }
    }

    @Test
    void rejectsCmyk() throws IOException {
        byte[] file = bytes(drawn(WIDTH, HEIGHT), "jpeg");
        int frame = IntStream.range(0, file.length)
                .filter(i -> (file[i] & 0xFF) == 0xFF && (file[i + 1] & 0xFF) == 0xC0)
                .findFirst()
                .orElseThrow();
        file[frame + 9] = 4;
        assertTrue(problem(file).contains("is a CMYK image"), problem(file));
    }

    @Test
    void rejectsHugeImagesBeforeReadingPixels() throws IOException {
        byte[] noRows = new byte[0];
        assertEquals(
                "a picture has 65000 x 65000 pixels, which is too many", problem(png(65_000, 65_000, 8, 2, noRows)));
        byte[] gif = bytes(gray(BufferedImage.TYPE_BYTE_GRAY), "gif");
        assertArrayEquals(read(bytes(gray(BufferedImage.TYPE_BYTE_GRAY), "png")), read(gif));
        byte[] bmp = bytes(drawn(WIDTH, HEIGHT), "bmp");
        ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN).putInt(18, 60_000).putInt(22, 60_000);
        problem(bmp);
        problem(png(0, 5, 8, 2, noRows));
        problem(png(5, 0, 8, 2, noRows));
    }

    @Test
    void readsTheFirstFrameOfAnAnimation() throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BufferedImage first = gray(BufferedImage.TYPE_BYTE_GRAY);
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.prepareWriteSequence(null);
            writer.writeToSequence(new IIOImage(first, null, null), null);
            writer.writeToSequence(
                    new IIOImage(new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_GRAY), null, null), null);
            writer.endWriteSequence();
        } finally {
            writer.dispose();
        }
        assertArrayEquals(read(bytes(first, "png")), read(out.toByteArray()));
    }

    @Test
    void rejectsOtherFormats() throws IOException {
        String unsupported = "a picture is not an image in a supported format (PNG, JPEG, GIF, BMP)";
        assertEquals(unsupported, problem(bytes(drawn(WIDTH, HEIGHT), "tiff")));
        assertEquals(unsupported, problem(new byte[] {0, 0, 5, 5, 1, 2, 3, 4, 5}));
        assertEquals(unsupported, problem(new byte[0]));
    }

    private static String problem(byte[] file) {
        return assertThrows(MalformedRowException.class, () -> read(file)).getMessage();
    }
}
