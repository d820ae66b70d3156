/**
 * Files of a run and of a model, on any Hadoop file system. Every file or folder is written under a temporary name and
 * published by a rename; files that Unroll did not write are never replaced.
 *
 * <pre>
 *   run.directory/                     RunDirectory
 *     .lock                            DirectoryLock
 *     checkpoints/round-N.checkpoint   Checkpoints, CheckpointFile   } written by
 *     metrics.jsonl                    MetricsFile                   } RunJournal
 *     model/                           ModelFolder, TrainedModel, Manifest
 *     last-good/                       ModelFolder, if the run diverges
 * </pre>
 *
 * Start with {@link io.unroll.checkpoint.RunDirectory} and {@link io.unroll.checkpoint.ModelFolder}.
 */
package io.unroll.checkpoint;
