/** The command line: its verbs; the only room that prints or exits. */
package io.unroll.cli;
