/** Tasks: what a network on the common trunk learns, and how that is measured. */
package io.unroll.task;
