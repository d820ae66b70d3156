/** From token files to what a network is fed: lanes, chunks, batches. */
package io.unroll.chunk;
