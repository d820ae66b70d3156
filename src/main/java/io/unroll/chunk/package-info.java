/**
 * Prepared corpora: the store of sequences, and the batches that are made from it. Each kind of corpus (text and table)
 * implements the interface {@link io.unroll.chunk.BatchSource}, whose plan opens the batches. Read that interface first.
 *
 * <pre>
 *              store                              plan         batches
 *   text       SequenceWriter, SequenceReader     LanePlan     Lanes, EvaluationLanes   state carried along lanes
 *   table      SequenceWriter, SequenceReader     BucketPlan   Buckets, Collator        padded, bucketed by length
 * </pre>
 *
 * {@link io.unroll.chunk.SequenceStore} describes the files, {@link io.unroll.chunk.Example} what is in them.
 */
package io.unroll.chunk;
