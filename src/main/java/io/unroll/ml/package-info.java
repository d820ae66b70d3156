/**
 * Estimators and models for Spark ML: a DataFrame in, a DataFrame with more columns out. They work in a {@code Pipeline}
 * and in a {@code CrossValidator}, and are saved and loaded like Spark's.
 */
package io.unroll.ml;
