/** The speed of a training step on this machine, beside the machine's own peak and, where there are any, peers. */
package io.unroll.bench;
