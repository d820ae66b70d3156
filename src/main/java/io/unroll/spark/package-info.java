/** The jobs on Spark: prepare, train in rounds, evaluate. */
package io.unroll.spark;
