/** Training: one replica, averaging, the learning rate's schedule. Knows no cluster. */
package io.unroll.train;
