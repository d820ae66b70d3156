package io.unroll.spark;

import io.unroll.chunk.Batch;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;

/**
 * What a network is evaluated on: files, or a part of a prepared corpus.
 *
 * @param batches lists of batches; each list is evaluated in order, starting from a zero state
 * @param skipped number of skipped rows by reason; null if the source has no rows
 */
record EvaluationSource(JavaRDD<List<Batch>> batches, Map<String, Long> skipped) {}
