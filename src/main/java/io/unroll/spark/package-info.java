/**
 * The Spark jobs: preparing a corpus, training in rounds, and evaluating.
 *
 * <pre>
 *   CorpusPreparation -> PreparedCorpus        tokens or examples in files, and vocabularies
 *   TrainingJob (driver)
 *     RoundJob          each round: broadcasts the weights, trains the replicas, averages them
 *       AveragedRound     the Spark job of a round; averages on the driver, or by a shuffle if the weights are large
 *         TrainReplica      the Spark task: trains one replica
 *     Evaluation        the validation loss at the end of each epoch
 * </pre>
 *
 * Read {@link io.unroll.spark.TrainingJob} first. {@link io.unroll.spark.Session} wraps the Spark context.
 */
package io.unroll.spark;
