/**
 * Use of a trained model, without Spark.
 *
 * <ul>
 *   <li>{@link io.unroll.inference.Scorer} scores, predicts and embeds texts.
 *   <li>{@link io.unroll.inference.Sampler} draws the next token: temperature, top-k and top-p.
 *   <li>{@link io.unroll.inference.Inspection} measures what a language model does with a text, and
 *       {@link io.unroll.inference.ReportPage} renders it as an HTML file, from the template {@code report.html}.
 * </ul>
 *
 * <p>Generation and beam search are part of the tasks: {@link io.unroll.task.Task#answer}.
 */
package io.unroll.inference;
