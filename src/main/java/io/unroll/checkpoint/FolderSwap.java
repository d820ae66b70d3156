package io.unroll.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Replaces a folder by a draft beside it: the old one goes aside by a rename, and is deleted when the draft has its
 * name. A process that dies in between leaves the old folder aside, where {@link #recover} finds it.
 */
final class FolderSwap {
    private static final String DRAFT = "draft";
    private static final String OLD = "old";

    private final FileSystem fs;
    private final Path path;

    FolderSwap(FileSystem fs, Path path) {
        this.fs = fs;
        this.path = path;
    }

    /** @return a new name beside the folder */
    Path draft() {
        return sibling(DRAFT);
    }

    /** @throws io.unroll.config.ConfigurationException where the folder holds what Unroll has not made */
    void replaceBy(Path draft) throws IOException {
        checkOwn();
        Path old = sibling(OLD);
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
     * Ends what a process that died has begun: the folder stays where it is whole, and the old one comes back where it
     * is not. Nobody else may replace the folder meanwhile.
     *
     * @throws io.unroll.config.ConfigurationException where Unroll has not made what would be deleted
     */
    void recover(Predicate<Path> whole) throws IOException {
        for (String purpose : List.of(OLD, DRAFT)) {
            for (Path beside : siblings(purpose)) {
                OwnFiles.MODEL.checkFolder(fs, beside);
            }
        }
        for (Path old : siblings(OLD)) {
            if (whole.test(path)) {
                fs.delete(old, true);
            } else if (whole.test(old)) {
                checkOwn();
                fs.delete(path, true);
                rename(old, path);
            }
        }
        for (Path draft : siblings(DRAFT)) {
            fs.delete(draft, true);
        }
    }

    /** @throws io.unroll.config.ConfigurationException where the folder holds what Unroll has not made */
    void checkOwn() throws IOException {
        OwnFiles.MODEL.checkFolder(fs, path);
    }

    /** Hadoop's rename would move a folder into one that is there already. */
    private void rename(Path from, Path to) throws IOException {
        if (fs.exists(to) || !fs.rename(from, to)) {
            throw new IOException("cannot rename " + from + " to " + to);
        }
    }

    private Path sibling(String purpose) {
        return new Path(path.getParent(), prefix(purpose) + UUID.randomUUID());
    }

    private String prefix(String purpose) {
        return "." + path.getName() + "-" + purpose + "-";
    }

    private List<Path> siblings(String purpose) throws IOException {
        List<Path> siblings = new ArrayList<>();
        try {
            for (FileStatus beside : fs.listStatus(path.getParent())) {
                if (beside.getPath().getName().startsWith(prefix(purpose))) {
                    siblings.add(beside.getPath());
                }
            }
        } catch (FileNotFoundException e) {
            return List.of();
        }
        return siblings;
    }
}
