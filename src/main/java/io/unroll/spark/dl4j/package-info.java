/**
 * Unroll's distributed training for existing Deeplearning4j code, behind the interface {@code TrainingMaster}.
 *
 * <pre>
 *   UnrollTrainingMaster -> DistributedFit     one call of fit
 *     ReplicaPartitioner                         shuffles each DataSet (Chunk) to its replica and round
 *     AveragedRound                              each round, as for Unroll's own networks
 *       TrainChunks                                the task of a round: trains a StatefulGraph
 * </pre>
 *
 * Read {@link io.unroll.spark.dl4j.UnrollTrainingMaster} first.
 */
package io.unroll.spark.dl4j;
