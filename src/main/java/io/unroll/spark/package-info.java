/**
 * The Spark jobs: preparing a corpus, training in rounds, and evaluating.
 *
 * <pre>
 *   CorpusPreparation -> PreparedCorpus        a store of sequences, and vocabularies
 *   TrainingJob (driver)
 *     RoundJob          each round: broadcasts the weights, trains the replicas, averages them
 *       AveragedRound     the Spark job of a round; averages on the driver, or by a shuffle if the weights are large
 *         TrainReplica      the Spark task (ReplicaTask): trains one replica on a network of the IdlePool
 *     Evaluation        the validation loss at the end of each epoch
 * </pre>
 *
 * Read {@link io.unroll.spark.TrainingJob} first. {@link io.unroll.spark.Session} wraps the Spark context.
 * What tasks receive and return is wrapped in {@link io.unroll.spark.JavaSerialized}.
 */
package io.unroll.spark;
