/**
 * The Spark jobs: preparing a corpus, training in rounds, and evaluating.
 *
 * <pre>
 *   CorpusPreparation -> PreparedCorpus        tokens or examples in files, and vocabularies
 *   TrainingJob (driver)
 *     RoundJob        each round: broadcast the weights, train the replicas, average
 *       AveragedRound   averages on the driver, or large weights by a shuffle
 *         TrainReplica    task: trains one replica
 *     Evaluation      the validation loss at the end of each epoch
 * </pre>
 *
 * Read {@link io.unroll.spark.TrainingJob} first. {@link io.unroll.spark.Session} wraps the Spark context.
 */
package io.unroll.spark;
