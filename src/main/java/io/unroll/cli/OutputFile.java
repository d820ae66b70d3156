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

/** A file that a command writes when its work is done; that it can be written is found before. */
final class OutputFile {
    private final String option;
    private final Path path;

    /** @throws ConfigurationException where the file cannot be written; what it holds stays */
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
            throw new ConfigurationException(sentence(e), e);
        }
    }

    void write(String text) {
        try {
            Files.writeString(path, text);
        } catch (IOException e) {
            throw new UnrollException(sentence(e), e);
        }
    }

    private String sentence(IOException e) {
        // Others of the file system's say no more than the path.
        String reason = e instanceof AccessDeniedException
                ? "permission denied"
                : e instanceof NoSuchFileException ? "no file can be made there" : String.valueOf(e.getMessage());
        return option + " is " + path + ", which cannot be written: " + reason + ". Give another file.";
    }
}
