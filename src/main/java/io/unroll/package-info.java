/**
 * Unroll trains recurrent language models on Apache Spark with Deeplearning4j.
 *
 * <pre>
 *   corpus files --prepare--> vocabulary + token files
 *       --plan (driver)--> replicas x lanes x chunks
 *       --round (workers)--> each replica reads its ranges and trains its chunks, the state carried across them
 *       --average--> one snapshot --> validation, progress --> next round
 *       --> model folder --> evaluate | generate | publish
 * </pre>
 *
 * The rooms, each of which may import those below it only:
 *
 * <pre>
 *   cli          the verbs
 *   bench        the speed of a training step
 *   spark        rounds on workers, evaluation; spark.dl4j: Unroll as a TrainingMaster of Deeplearning4j
 *   inference    drawing tokens
 *   checkpoint   the model folder, versions
 *   train        one replica, averaging, schedules, progress
 *   task         what is learnt: examples, network, batches, metrics
 *   model        Deeplearning4j layers and networks
 *   kernel       recurrent layers, softmax and embedding on oneDNN
 *   chunk        token and example files, lanes, chunks, batches
 *   text         corpus files, tokenizers, vocabulary
 *   config       settings
 * </pre>
 *
 * To read first: {@code cli.TrainCommand}, {@code spark.TrainingJob}, {@code train.Replica},
 * {@code task.LanguageModel}.
 */
package io.unroll;
