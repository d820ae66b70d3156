package io.unroll.storage;

import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingsReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.GlobExpander;
import org.apache.hadoop.fs.GlobFilter;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists the files of a path, a folder or a glob pattern: each file once, even if several links lead to it, and without
 * files whose names begin with . or _. Skipped files are logged. Hadoop's own listing follows cyclic links, silently
 * skips what it cannot open, and its patterns fail for names with a colon.
 */
final class FileTree {
    private static final Logger LOG = LoggerFactory.getLogger(FileTree.class);
    private static final int MAX_LISTED = 5;
    private static final int FILE_TYPE = 0xF000;
    private static final int PIPE = 0x1000;
    private static final int CHARACTER_DEVICE = 0x2000;
    private static final int BLOCK_DEVICE = 0x6000;
    private static final int SOCKET = 0xC000;

    private final FileSystem fs;
    private final boolean local;
    private final Map<String, FileStatus> files = new HashMap<>();
    /** Status of remote files from folder listings, which saves a request per file. */
    private final Map<Path, FileStatus> listed = new HashMap<>();

    private final Set<String> folders = new HashSet<>();
    private final Deque<Path> links = new ArrayDeque<>();
    private final List<String> skipped = new ArrayList<>();

    private FileTree(FileSystem fs) {
        this.fs = fs;
        this.local = CorpusFiles.isLocal(fs);
    }

    /**
     * @return the files, sorted by path
     * @throws ConfigurationException if there is no such file
     */
    static List<FileStatus> files(String path, Configuration hadoop) throws IOException {
        Path parsed = new Path(SettingsReader.plainPath(path));
        FileTree tree = new FileTree(parsed.getFileSystem(hadoop));
        for (Path match : tree.matches(path, tree.fs.makeQualified(parsed))) {
            tree.visit(match);
        }
        while (!tree.links.isEmpty()) {
            tree.add(tree.links.remove());
        }
        List<String> skipped = tree.skipped;
        String listed = String.join(", ", skipped.subList(0, Math.min(MAX_LISTED, skipped.size())))
                + (skipped.size() > MAX_LISTED ? " and " + (skipped.size() - MAX_LISTED) + " more" : "");
        if (tree.files.isEmpty()) {
            throw new ConfigurationException(path + " contains no readable file"
                    + (listed.isEmpty() ? " (names that begin with . or _ are skipped)." : ": " + listed + "."));
        }
        if (!skipped.isEmpty()) {
            LOG.warn("{}: skipped {}", path, listed);
        }
        return tree.files.values().stream()
                .sorted(Comparator.comparing(file -> file.getPath().toString()))
                .toList();
    }

    private List<Path> matches(String path, Path qualified) throws IOException {
        if (exists(qualified)) {
            return List.of(qualified);
        }
        List<Path> found = new ArrayList<>();
        for (String pattern : GlobExpander.expand(qualified.toString())) {
            matches(new Path(pattern), true).stream()
                    .filter(FileTree::isVisible)
                    .forEach(found::add);
        }
        if (found.isEmpty()) {
            throw new ConfigurationException(path + ": no such file or folder, and no file matches it as a pattern.");
        }
        return found;
    }

    /**
     * @param last whether this is the last component; existence is checked only for the last one, because users may not
     *     be allowed to list the folders before it
     */
    private Collection<Path> matches(Path pattern, boolean last) throws IOException {
        if (pattern.getParent() == null) {
            return List.of(pattern);
        }
        GlobFilter filter = new GlobFilter(pattern.getName());
        List<Path> found = new ArrayList<>();
        for (Path folder : matches(pattern.getParent(), false)) {
            Path child = child(folder, pattern.getName().replaceAll("\\\\(.)", "$1"));
            if (filter.hasPattern()) {
                children(folder).stream().filter(filter::accept).forEach(found::add);
            } else if (!last || exists(child)) {
                found.add(child);
            }
        }
        return found;
    }

    private void visit(Path path) throws IOException {
        if (local && Files.isSymbolicLink(localPath(path))) {
            links.add(path);
        } else {
            add(path);
        }
    }

    private void add(Path path) throws IOException {
        if (!exists(path) || (local && !Files.exists(localPath(path)))) {
            skipped.add(path + " (a broken link)");
            return;
        }
        FileStatus status = status(path);
        String real = local ? localPath(path).toRealPath().toString() : path.toString();
        if (status == null) {
            skipped.add(path + " (" + kind(localPath(path)) + ")");
        } else if (status.isFile()) {
            files.putIfAbsent(real, status);
        } else if (folders.add(real)) {
            for (Path child : children(path)) {
                if (isVisible(child)) {
                    visit(child);
                } else if (!child.getName().equals("_SUCCESS")
                        && !child.getName().endsWith(".crc")) {
                    skipped.add(child + " (its name begins with . or _)");
                }
            }
        }
    }

    /** @return null if the path is neither a file nor a folder */
    private FileStatus status(Path path) throws IOException {
        if (!local) {
            return listed.containsKey(path) ? listed.get(path) : fs.getFileStatus(path);
        }
        BasicFileAttributes found = Files.readAttributes(localPath(path), BasicFileAttributes.class);
        return found.isOther() ? null : new FileStatus(found.size(), found.isDirectory(), 1, 1, 0, path);
    }

    private static String kind(java.nio.file.Path file) throws IOException {
        return switch ((int) Files.getAttribute(file, "unix:mode") & FILE_TYPE) {
            case PIPE -> "a named pipe, which can be read only once: write it into a file";
            case CHARACTER_DEVICE, BLOCK_DEVICE -> "a device, which has no end";
            case SOCKET -> "a socket";
            default -> "not a regular file";
        };
    }

    private boolean exists(Path path) throws IOException {
        return local
                ? Files.exists(localPath(path), java.nio.file.LinkOption.NOFOLLOW_LINKS)
                : listed.containsKey(path) || fs.exists(path);
    }

    /** @return the children of a folder; empty for a file */
    private List<Path> children(Path folder) throws IOException {
        List<Path> children = new ArrayList<>();
        if (!local) {
            try {
                for (FileStatus child : fs.listStatus(folder)) {
                    if (!child.getPath().equals(folder)) {
                        listed.put(child.getPath(), child);
                        children.add(child.getPath());
                    }
                }
            } catch (FileNotFoundException e) {
                // Deleted since it was listed.
            }
        } else if (Files.isDirectory(localPath(folder))) {
            try (DirectoryStream<java.nio.file.Path> found = Files.newDirectoryStream(localPath(folder))) {
                for (java.nio.file.Path child : found) {
                    addIfReachable(child, folder, children);
                }
            }
        }
        children.sort(Comparator.comparing(Path::toString));
        return children;
    }

    /** A file whose name cannot be encoded in the current locale is listed but cannot be opened. */
    private void addIfReachable(java.nio.file.Path child, Path folder, List<Path> children) {
        String name = child.getFileName().toString();
        boolean found;
        try {
            found = Files.exists(localPath(folder).resolve(name), java.nio.file.LinkOption.NOFOLLOW_LINKS);
        } catch (InvalidPathException e) {
            found = false;
        }
        if (found) {
            children.add(child(folder, name));
        } else {
            skipped.add(child(folder, name) + " (its name cannot be decoded in this locale: set LC_ALL=C.UTF-8)");
        }
    }

    private static Path child(Path folder, String name) {
        return new Path(folder, new Path(null, null, name));
    }

    private static java.nio.file.Path localPath(Path path) {
        return java.nio.file.Path.of(path.toUri().getPath());
    }

    private static boolean isVisible(Path path) {
        return !path.getName().startsWith(".") && !path.getName().startsWith("_");
    }
}
