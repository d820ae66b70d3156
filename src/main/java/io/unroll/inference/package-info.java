/** Using a trained model. Knows nothing of Spark. */
package io.unroll.inference;
