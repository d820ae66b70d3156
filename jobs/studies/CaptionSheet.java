import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * Prints a table of images with their generated captions, and writes a PNG that shows the same images and captions.
 *
 * <p>Arguments: training CSV, test CSV, folder of the images, file of the generated captions (one per line, for the
 * first rows of the test CSV), PNG to write. {@code jobs/studies/emoji.sh} runs it.
 */
public final class CaptionSheet {
    private static final int COLUMNS = 5;
    private static final int WIDTH = 232;
    private static final int PICTURE = 96;
    private static final int LINE = 17;
    private static final int HEIGHT = PICTURE + 7 * LINE;

    /** @param nearest training caption with the smallest distance in words to the generated caption */
    private record Entry(Path image, String answer, String reference, String nearest) {}

    public static void main(String[] arguments) throws IOException {
        List<String[]> training = rows(Path.of(arguments[0]));
        List<String[]> test = rows(Path.of(arguments[1]));
        List<String> answers = Files.readAllLines(Path.of(arguments[3]));
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            String answer = answers.get(i);
            String nearest = training.stream()
                    .map(row -> row[1])
                    .min(Comparator.comparingInt(caption -> distance(answer.split(" "), caption.split(" "))))
                    .orElseThrow();
            entries.add(new Entry(Path.of(arguments[2], test.get(i)[0]), answer, test.get(i)[1], nearest));
        }
        System.out.println("| image | generated caption | reference | nearest training caption |\n|---|---|---|---|");
        entries.forEach(entry -> System.out.printf(
                "| %s | %s | %s | %s |%n",
                entry.image.getFileName(),
                entry.answer,
                entry.reference.equals(entry.answer) ? "**identical**" : entry.reference,
                entry.nearest.equals(entry.answer) ? "identical" : entry.nearest));
        ImageIO.write(sheet(entries), "png", new java.io.File(arguments[4]));
    }

    private static List<String[]> rows(Path csv) throws IOException {
        CsvParserSettings settings = new CsvParserSettings();
        settings.setHeaderExtractionEnabled(true);
        return new CsvParser(settings).parseAll(Files.newBufferedReader(csv));
    }

    /** Returns the number of words to insert, delete or replace (Levenshtein distance). */
    private static int distance(String[] from, String[] to) {
        int[] row = new int[to.length + 1];
        for (int j = 0; j <= to.length; j++) {
            row[j] = j;
        }
        for (String word : from) {
            int diagonal = row[0]++;
            for (int j = 1; j <= to.length; j++) {
                int replaced = diagonal + (word.equals(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j - 1], row[j]));
            }
        }
        return row[to.length];
    }

    private static BufferedImage sheet(List<Entry> entries) throws IOException {
        int rows = (entries.size() + COLUMNS - 1) / COLUMNS;
        BufferedImage sheet = new BufferedImage(COLUMNS * WIDTH, rows * HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            int x = i % COLUMNS * WIDTH + 8;
            int y = i / COLUMNS * HEIGHT + 8;
            graphics.drawImage(ImageIO.read(entry.image.toFile()), x, y, PICTURE, PICTURE, null);
            y += PICTURE;
            boolean correct = entry.answer.equals(entry.reference);
            y = write(graphics, entry.answer, correct ? new Color(0x2b8a3e) : Color.BLACK, Font.BOLD, x, y);
            if (!correct) {
                y = write(graphics, entry.reference, new Color(0xc92a2a), Font.PLAIN, x, y);
            }
            if (!entry.nearest.equals(entry.answer)) {
                write(graphics, "near: " + entry.nearest, Color.GRAY, Font.ITALIC, x, y);
            }
        }
        graphics.dispose();
        return sheet;
    }

    /**
     * Draws a text on at most two lines.
     *
     * @return the y coordinate of the last line
     */
    private static int write(Graphics2D graphics, String text, Color color, int style, int x, int y) {
        graphics.setFont(new Font(Font.SANS_SERIF, style, 12));
        graphics.setColor(color);
        StringBuilder line = new StringBuilder();
        int lines = 0;
        for (String word : text.split(" ")) {
            if (graphics.getFontMetrics().stringWidth(line + " " + word) > WIDTH - 16 && lines == 0) {
                graphics.drawString(line.toString(), x, y + ++lines * LINE);
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        graphics.drawString(line.toString(), x, y + ++lines * LINE);
        return y + lines * LINE;
    }

    private CaptionSheet() {}
}
