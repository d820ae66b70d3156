/**
 * Prepared corpora: their files, and the batches that are made from them. Both kinds of corpus (text and table)
 * implement the interface {@link io.unroll.chunk.BatchSource}. Read that interface first.
 *
 * <pre>
 *              files                         plan           batches
 *   text       TokenWriter,   TokenReader    LanePlan       Lanes, EvaluationLanes     state carried along lanes
 *   table      ExampleWriter, ExampleReader  ExamplePlan    ExampleBatches, Collator   padded, bucketed by length
 * </pre>
 *
 * A folder of prepared files has an index ({@link io.unroll.chunk.TokenIndex}, {@link io.unroll.chunk.ExampleIndex})
 * with checksums, which {@link io.unroll.chunk.PreparedFileCheck} verifies.
 */
package io.unroll.chunk;
