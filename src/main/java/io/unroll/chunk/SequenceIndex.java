package io.unroll.chunk;

import io.unroll.storage.JsonFile;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.zip.CRC32C;

/**
 * Index of a {@link SequenceStore}, the file {@code index.json}. It is written last, so a folder with an index is
 * complete. Its size depends on the number of parts, not on the number of sequences.
 *
 * @param corpus hash of the content of the corpus
 * @param parts in the order of the corpus; for examples, training, then validation, then test
 * @param skipped number of malformed rows by reason
 * @param checksum CRC-32C of all other components and of the vocabularies
 */
public record SequenceIndex(
        String corpus, Example.Type type, List<Part> parts, TreeMap<String, Long> skipped, long checksum)
        implements Serializable {
    public static final JsonFile<SequenceIndex> FILE =
            new JsonFile<>("unroll-sequences", 1, SequenceIndex.class, 1 << 28);

    /** What a part belongs to: the stream of a text, which the settings split by its tokens, or a split of examples. */
    public enum Section {
        STREAM,
        TRAINING,
        VALIDATION,
        TEST
    }

    /**
     * Some consecutive sequences.
     *
     * @param name of the files, without {@code .bin} and {@code .idx}
     * @param checksum CRC-32C of the {@code .bin} file
     * @param indexChecksum CRC-32C of the {@code .idx} file
     * @param weight sum of the weights of the sequences; 0 if they have none
     */
    public record Part(
            String name,
            Section section,
            Lengths sources,
            Lengths targets,
            long checksum,
            long indexChecksum,
            double weight)
            implements Serializable {
        long sequences() {
            return targets.count();
        }
    }

    /**
     * Statistics of the lengths of sequences.
     *
     * @param histogram by power of two, the number of lengths that are at most this number, and more than half of it
     */
    public record Lengths(long total, long longest, TreeMap<Long, Long> histogram) implements Serializable {
        long count() {
            return histogram.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /** @param vocabularies of the tokens */
    public static SequenceIndex of(
            String corpus, Example.Type type, List<Part> parts, Map<String, Long> skipped, Vocabularies vocabularies) {
        TreeMap<String, Long> sorted = new TreeMap<>(skipped);
        String content =
                List.of(corpus, type, parts, sorted, vocabularies.checksum()).toString();
        CRC32C checksum = new CRC32C();
        checksum.update(content.getBytes(StandardCharsets.UTF_8));
        return new SequenceIndex(corpus, type, parts, sorted, checksum.getValue());
    }

    /** @return whether the index is as it was written, for this corpus and with these vocabularies */
    public boolean isIntact(String corpusHash, Vocabularies vocabularies) {
        return type != null
                && parts != null
                && skipped != null
                && equals(of(corpusHash, type, parts, skipped, vocabularies));
    }

    public long sequences(Section section) {
        return parts.stream()
                .filter(part -> part.section == section)
                .mapToLong(Part::sequences)
                .sum();
    }

    public long sequences() {
        return parts.stream().mapToLong(Part::sequences).sum();
    }

    /** @return the mean weight of the training sequences, which must have weights */
    public double meanWeight() {
        double sum = parts.stream()
                .filter(part -> part.section == Section.TRAINING)
                .mapToDouble(Part::weight)
                .reduce(0, Double::sum);
        return sum / sequences(Section.TRAINING);
    }

    /** @return the number of tokens in all sources and targets */
    public long tokens() {
        return parts.stream()
                .mapToLong(part -> (type.source().hasTokens() ? part.sources.total : 0)
                        + (type.target().hasTokens() ? part.targets.total : 0))
                .sum();
    }

    /** @return the mean number of values in a source and its target, at least 1 */
    long meanLength() {
        long values = parts.stream()
                .mapToLong(part -> part.sources.total + part.targets.total)
                .sum();
        return Math.max(1, values / Math.max(1, sequences()));
    }

    /** @return the length of the longest source or target */
    int longest(Function<Part, Lengths> lengths) {
        return Math.toIntExact(parts.stream()
                .mapToLong(part -> lengths.apply(part).longest)
                .max()
                .orElse(0));
    }

    /** @return the length of each file of the store, except for the index, in bytes, by name */
    public Map<String, Long> fileLengths() {
        Map<String, Long> lengths = new TreeMap<>();
        for (Part part : parts) {
            lengths.put(
                    part.name + SequenceStore.VALUES,
                    part.sources.total * type.source().bytes()
                            + part.targets.total * type.target().bytes()
                            + part.sequences() * type.weightBytes());
            lengths.put(part.name + SequenceStore.ENTRIES, part.sequences() * SequenceWriter.ENTRY_BYTES);
        }
        return lengths;
    }
}
