/**
 * Training without Spark: how one replica trains for a round, and how the weights of the replicas are averaged.
 *
 * <pre>
 *   RunState -> Round.next -> Replica.train, once per replica -> WeightedMean -> Snapshot.after (OuterStep) -> RunState
 * </pre>
 *
 * <ul>
 *   <li>{@link io.unroll.train.Snapshot}: weights, states and counters between two rounds;
 *   <li>{@link io.unroll.train.RunState}: a snapshot with its losses, the content of a checkpoint;
 *   <li>{@link io.unroll.train.RoundReport}: the metrics of a round.
 * </ul>
 *
 * Start with {@link io.unroll.train.Replica}.
 */
package io.unroll.train;
