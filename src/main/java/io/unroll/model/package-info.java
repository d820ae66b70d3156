/** Deeplearning4j networks: their layers, their loss, and one class that trains and runs them. */
package io.unroll.model;
