package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenFilesTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"256,1", "257,2", "65536,2", "65537,4"})
    void readsTokensAcrossFileBorders(int vocabulary, int width) throws IOException {
        int[] tokens =
                IntStream.range(0, 1000).map(i -> vocabulary - 1 - i % 250).toArray();
        TokenIndex index = write(tokens, vocabulary);

        assertEquals(width, index.width());
        assertEquals(tokens.length, index.tokens());
        try (TokenReader reader = new TokenReader(folder.toString(), index, new Configuration())) {
            int[] read = new int[tokens.length];
            reader.read(0, read, 0, 10);
            reader.read(10, read, 10, 900);
            reader.read(910, read, 910, 90);
            assertArrayEquals(tokens, read);
            assertThrows(IndexOutOfBoundsException.class, () -> reader.read(999, read, 0, 2));
        }
    }

    @Test
    void truncatedFileIsNamed() throws IOException {
        TokenIndex index = write(new int[1000], 10);
        Files.write(folder.resolve("part-2"), new byte[7]);
        try (TokenReader reader = new TokenReader(folder.toString(), index, new Configuration())) {
            String message = assertThrows(UnrollException.class, () -> reader.read(0, new int[1000], 0, 1000))
                    .getMessage();
            assertTrue(message.contains("part-2 is shorter than its index says"), message);
        }
    }

    private TokenIndex write(int[] tokens, int vocabulary) throws IOException {
        List<TokenIndex.Part> parts = new ArrayList<>();
        int width = TokenIndex.width(vocabulary);
        int[] borders = {0, 300, 300, 950, 1000};
        for (int part = 0; part + 1 < borders.length; part++) {
            Path file = folder.resolve("part-" + part);
            try (TokenWriter writer = new TokenWriter(Files.newOutputStream(file), width)) {
                IntStream.range(borders[part], borders[part + 1]).forEach(i -> writer.accept(tokens[i]));
                parts.add(new TokenIndex.Part("part-" + part, writer.tokens(), writer.checksum()));
            }
        }
        return new TokenIndex("hash", width, parts, null);
    }
}
