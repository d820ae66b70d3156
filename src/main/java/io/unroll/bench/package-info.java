/**
 * The command {@code bench}: measures the speed of a training step on this machine, in tokens per second and as a share
 * of the peak of the machine.
 *
 * <pre>
 *   Benchmark -> Peer.open(Case) -> Contestant (timed turns) -> Result
 * </pre>
 *
 * A {@link io.unroll.bench.Peer} is a system under test: Unroll, and with {@code jobs/unroll -Ppeers} also stock
 * Deeplearning4j and LibTorch. Start with {@link io.unroll.bench.Benchmark}.
 */
package io.unroll.bench;
