package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Damaged images are read, or rejected with a message. */
class ImageFuzzTest {
    @Test
    @Tag("full")
    void handlesSomeDamagedImages() throws IOException {
        damage(700, 1);
    }

    @Test
    @Tag("nightly")
    void handlesManyDamagedImages() throws IOException {
        damage(20_000, 1_000_000);
    }

    private static void damage(int count, long seed) throws IOException {
        byte[] picture = ShapeImages.png(true, "red", "ring", 1);
        BufferedImage opaque = new BufferedImage(48, 48, BufferedImage.TYPE_INT_RGB);
        opaque.createGraphics().drawImage(ImageIO.read(new ByteArrayInputStream(picture)), 0, 0, null);
        for (String format : List.of("png", "jpeg", "gif", "bmp")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(opaque, format, out);
            Iterator<byte[]> mutations =
                    Fuzz.mutations(out.toByteArray(), count, seed).iterator();
            int read = 0;
            for (long number = seed; mutations.hasNext(); number++) {
                byte[] mutation = mutations.next();
                read += Fuzz.assertReadOrRefused(format + " " + number, () -> Image.read(mutation, "a picture", 16))
                        ? 1
                        : 0;
            }
            assertTrue(read < count, format + ": " + read + " of " + count + " are read");
        }
    }
}
