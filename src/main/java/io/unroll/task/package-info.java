/**
 * The four tasks: language model, classification, sequence to sequence, captioning. Training, averaging and evaluation
 * are the same for all of them, and use only the interface {@link io.unroll.task.Task}. Read that interface first.
 *
 * <pre>
 *   row of a table --Examples.encode--> example --Collator.batch--> Batch --Task.score--> Score --> metrics
 *   prompt         --Task.answer--> text
 * </pre>
 *
 * {@link io.unroll.task.Examples} converts rows; language models read a text corpus and have no examples. Seq2Seq and
 * Captioning share TargetSequences (teacher forcing) and BeamSearch (decoding). ImageReader and Image convert image
 * files to numbers; the Score classes compute accuracy, error rates and BLEU.
 */
package io.unroll.task;
