/** Text: where a corpus lies and how it is cut, tokenizers, and the vocabulary. */
package io.unroll.text;
