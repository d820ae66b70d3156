/** For code written for Deeplearning4j's Spark modules: Unroll's training behind their {@code TrainingMaster}. */
package io.unroll.spark.dl4j;
