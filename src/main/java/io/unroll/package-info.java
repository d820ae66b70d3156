/**
 * Unroll trains recurrent neural networks on text, with Apache Spark and Deeplearning4j.
 *
 * <pre>
 *   corpus files --prepare--> vocabulary + store of sequences
 *       --plan (driver)--> replicas x lanes x chunks
 *       --round (executors)--> each replica reads its ranges of the store and trains on its chunks;
 *                              the hidden state is carried from chunk to chunk
 *       --average--> snapshot --> validation, checkpoint, metrics --> next round
 *       --> model folder --> evaluate | score | predict | embed | generate | inspect | publish
 * </pre>
 *
 * The packages, from the top layer to the bottom. A package imports only packages below it ({@code ArchitectureTest}
 * checks this):
 *
 * <pre>
 *   cli          the commands
 *   bench        benchmark of a training step
 *   ml           estimators and models for Spark ML
 *   spark        preparation, training rounds, evaluation and scoring as Spark jobs; spark.dl4j: a TrainingMaster for
 *                Deeplearning4j
 *   inference    scores, predictions and vectors of texts, sampling of tokens, inspection of models
 *   checkpoint   model folders, checkpoints, metrics file
 *   train        training of one replica, averaging, learning-rate schedules, progress
 *   task         the four tasks: their examples, batches, networks and metrics
 *   model        networks and layers, with Deeplearning4j
 *   kernel       recurrent layers, softmax and embedding on oneDNN
 *   chunk        the store of sequences, plans, lanes, buckets, batches
 *   storage      files in Hadoop file systems: splits, atomic replacement, versioned JSON
 *   text         tokenizers and vocabularies, in plain Java
 *   config       settings
 * </pre>
 *
 * Read these classes first: {@code cli.TrainCommand}, {@code spark.TrainingJob}, {@code train.Replica},
 * {@code task.LanguageModel}, {@code chunk.LanePlan}.
 */
package io.unroll;
