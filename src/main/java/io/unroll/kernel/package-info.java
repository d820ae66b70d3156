/**
 * The arithmetic of networks on oneDNN's primitives: recurrent layers, the softmax output, the embedding. Knows
 * plain memory only: no Deeplearning4j, no Spark.
 */
package io.unroll.kernel;
