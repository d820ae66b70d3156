package io.unroll.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.commons.io.function.IOConsumer;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathFilter;

/**
 * Replaces a model folder with a draft in the same parent folder. The old folder is renamed, the draft gets its name,
 * and the old folder is deleted:
 *
 * <pre>
 *   model, .model-draft-ID  ->  .model-old-ID, .model-draft-ID  ->  .model-old-ID, model  ->  model
 * </pre>
 *
 * If a process dies in between, {@link #recover} completes or undoes the replacement.
 */
public final class AtomicFolder {
    private static final String DRAFT = "draft";
    private static final String OLD = "old";

    private final FileSystem fs;
    private final Path path;

    public AtomicFolder(FileSystem fs, Path path) {
        this.fs = fs;
        this.path = path;
    }

    /**
     * Replaces the folder, or creates it.
     *
     * @param content writes the new content to the draft
     * @throws io.unroll.config.ConfigurationException if the folder contains a file that Unroll did not write
     */
    public void replace(IOConsumer<Path> content) throws IOException {
        Path draft = newSibling(DRAFT);
        try {
            fs.mkdirs(draft);
            content.accept(draft);
            checkNoForeignFiles();
            replaceWith(draft);
        } finally {
            fs.delete(draft, true);
        }
    }

    private void replaceWith(Path draft) throws IOException {
        Path old = newSibling(OLD);
        if (fs.exists(path)) {
            rename(path, old);
        }
        try {
            rename(draft, path);
        } catch (IOException e) {
            if (fs.exists(old)) {
                rename(old, path);
            }
            throw e;
        }
        fs.delete(old, true);
    }

    /**
     * Completes or undoes a replacement that was interrupted: keeps the folder if it is complete, otherwise restores
     * the old one. The caller must hold the lock of the folder.
     *
     * @throws io.unroll.config.ConfigurationException if a folder that would be deleted contains a file that Unroll did
     *     not write
     */
    public void recover(Predicate<Path> isComplete) throws IOException {
        for (String purpose : List.of(OLD, DRAFT)) {
            for (Path sibling : siblings(purpose)) {
                UnrollFiles.MODEL.checkFolder(fs, sibling);
            }
        }
        for (Path old : siblings(OLD)) {
            if (isComplete.test(path)) {
                fs.delete(old, true);
            } else if (isComplete.test(old)) {
                checkNoForeignFiles();
                fs.delete(path, true);
                rename(old, path);
            }
        }
        for (Path draft : siblings(DRAFT)) {
            fs.delete(draft, true);
        }
    }

    /** @throws io.unroll.config.ConfigurationException if the folder contains a file that Unroll did not write */
    public void checkNoForeignFiles() throws IOException {
        UnrollFiles.MODEL.checkFolder(fs, path);
    }

    /** Fails if the target exists, because Hadoop would move the folder into it. */
    private void rename(Path from, Path to) throws IOException {
        if (fs.exists(to) || !fs.rename(from, to)) {
            throw new IOException("cannot rename " + from + " to " + to);
        }
    }

    private Path newSibling(String purpose) {
        return new Path(path.getParent(), prefix(purpose) + UUID.randomUUID());
    }

    private String prefix(String purpose) {
        return "." + path.getName() + "-" + purpose + "-";
    }

    private List<Path> siblings(String purpose) throws IOException {
        PathFilter isSibling = sibling -> sibling.getName().startsWith(prefix(purpose));
        try {
            return List.of(FileUtil.stat2Paths(fs.listStatus(path.getParent(), isSibling)));
        } catch (FileNotFoundException e) {
            return List.of();
        }
    }
}
