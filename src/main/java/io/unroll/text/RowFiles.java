package io.unroll.text;

import io.unroll.config.UnrollException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Files that rows name. */
public record RowFiles(String folder, Configuration hadoop) {
    /** @throws MalformedRowException where there is no such file */
    public byte[] read(String name) {
        Path file;
        try {
            file = new Path(new Path(folder), new Path(null, null, name));
        } catch (IllegalArgumentException e) {
            throw new MalformedRowException(name + " is no name of a file");
        }
        try (InputStream in = file.getFileSystem(hadoop).open(file)) {
            return in.readAllBytes();
        } catch (FileNotFoundException e) {
            throw new MalformedRowException("there is no file " + file);
        } catch (IOException e) {
            throw new UnrollException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
