package io.unroll.task;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/** Draws images of a colored shape with random position, size and tint. */
final class ShapeImages {
    /** Hues, in degrees. */
    static final Map<String, Integer> COLORS = Map.of(
            "red", 0, "orange", 30, "yellow", 55, "green", 120, "cyan", 180, "blue", 235, "purple", 280, "pink", 325);

    static final List<String> SHAPES = List.of("circle", "bar", "triangle", "ring", "cross");
    private static final int SIDE = 48;

    private ShapeImages() {}

    static byte[] png(boolean large, String color, String shape, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_ARGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setColor(tint(color, random));
        int size = large ? random.nextInt(32, 42) : random.nextInt(16, 22);
        int x = random.nextInt(2, SIDE - size - 2);
        int y = random.nextInt(2, SIDE - size - 2);
        switch (shape) {
            case "circle" -> graphics.fillOval(x, y, size, size);
            case "bar" -> graphics.fillRect(x, y + size / 3, size, size / 3);
            case "triangle" -> graphics.fillPolygon(
                    new int[] {x, x + size, x + size / 2}, new int[] {y + size, y + size, y}, 3);
            case "cross" -> {
                graphics.fillRect(x + size / 3, y, size / 3, size);
                graphics.fillRect(x, y + size / 3, size, size / 3);
            }
            default -> {
                graphics.setStroke(new BasicStroke(4));
                graphics.drawOval(x + 2, y + 2, size - 4, size - 4);
            }
        }
        graphics.dispose();
        return png(image);
    }

    private static Color tint(String color, SplittableRandom random) {
        float hue = (COLORS.get(color) + random.nextInt(-7, 8)) / 360f;
        return Color.getHSBColor(hue, (float) random.nextDouble(0.7, 1), (float) random.nextDouble(0.6, 1));
    }

    private static byte[] png(BufferedImage image) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
