/** What lasts: the model folder, its versions, and publishing in one step. */
package io.unroll.checkpoint;
