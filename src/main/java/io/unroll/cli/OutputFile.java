package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** An output file. The constructor checks that it can be written, before the command does its work. */
final class OutputFile {
    private final String option;
    private final Path path;

    /** @throws ConfigurationException if the file cannot be written; its content does not change */
    OutputFile(String option, Path path) {
        this.option = option;
        this.path = path;
        Path folder = path.toAbsolutePath().getParent();
        if (Files.isDirectory(path) || !Files.isDirectory(folder)) {
            throw new ConfigurationException(option + " is " + path
                    + (Files.isDirectory(path) ? ", a folder" : ", in a folder that does not exist")
                    + "; it must be a file to write.");
        }
        try {
            if (!Files.exists(path)) {
                Files.delete(Files.createFile(path));
            } else if (Files.isRegularFile(path)) {
                FileChannel.open(path, StandardOpenOption.WRITE).close();
            }
        } catch (IOException e) {
            throw new ConfigurationException(message(e), e);
        }
    }

    void write(String text) {
        try {
            Files.writeString(path, text);
        } catch (IOException e) {
            throw new UnrollException(message(e), e);
        }
    }

    private String message(IOException e) {
        // The messages of these exceptions contain only the path.
        String reason = e instanceof AccessDeniedException
                ? "permission denied"
                : e instanceof NoSuchFileException ? "a file cannot be created there" : String.valueOf(e.getMessage());
        return option + " is " + path + ", which cannot be written: " + reason + ". Give another file.";
    }
}
