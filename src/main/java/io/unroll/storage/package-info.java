/**
 * Files in Hadoop file systems. {@link io.unroll.storage.CorpusFiles} lists the files of a corpus and divides them into
 * {@link io.unroll.storage.FileSplit}s, which {@link io.unroll.storage.SplitInput} reads.
 * {@link io.unroll.storage.AtomicFile} and {@link io.unroll.storage.AtomicFolder} replace files and folders by renaming
 * complete drafts; {@link io.unroll.storage.JsonFile} is the format of all versioned JSON files.
 */
package io.unroll.storage;
