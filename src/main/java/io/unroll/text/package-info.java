/**
 * Reads corpora: lists and slices files, reads the rows of tables, and converts text to tokens.
 *
 * <pre>
 *   text corpus    CorpusFiles -> Slice -> SliceInput -> Tokenizer      -> tokens
 *   table corpus   CorpusFiles -> RowFormat -> Row    -> FieldTokenizer -> tokens
 * </pre>
 *
 * Read {@link io.unroll.text.CorpusFiles} first, then {@link io.unroll.text.Tokenizer} and
 * {@link io.unroll.text.Vocabulary}. {@link io.unroll.text.JsonFile} reads and writes all versioned JSON files.
 */
package io.unroll.text;
