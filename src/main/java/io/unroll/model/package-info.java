/**
 * Networks: embedding, recurrent layers and softmax output; optionally an encoder, attention or pooling. Read
 * {@link io.unroll.model.Network} first, which trains and runs them.
 *
 * <pre>
 *   sources (optional)               inputs [lanes, steps]
 *        |                                |
 *   Encoder                          RecurrentStack
 *   TextEncoder or ImageEncoder        embedding       [steps, lanes, embedding]
 *        |---- initial state ------->  RecurrentLayerPass  [steps, lanes, hidden]
 *        |     (or first input)        RecurrentLayerPass  [steps, lanes, hidden]
 *        |                                |
 *        |                           Head
 *        |---- states of tokens --->   AttentionLayer  [steps, lanes, hidden]
 *                                      or LanePooling  [1, lanes, hidden]
 *                                         |
 *                                    SoftmaxOutput     logits [rows, outputs]
 *                                         |
 *                                    loss -> gradients -> OptimizerStep -> parameters
 * </pre>
 *
 * <ul>
 *   <li>{@code RecurrentLayerPass} calls oneDNN through {@link io.unroll.kernel.RecurrentKernel}, {@code SoftmaxOutput}
 *       through {@link io.unroll.kernel.SoftmaxKernel}.
 *   <li>{@link io.unroll.model.OneDnnLayer} is the Deeplearning4j adapter: a recurrent layer for Deeplearning4j on a
 *       {@code RecurrentLayerPass}.
 *   <li>{@link io.unroll.model.NetworkShape}: a network without its weights, and its Deeplearning4j configuration.
 *   <li>{@link io.unroll.model.NetworkZip}: saves a network as a Deeplearning4j zip.
 *   <li>{@link io.unroll.model.StatefulGraph}: a user's own Deeplearning4j network, with {@code OneDnnLayer} in it.
 * </ul>
 */
package io.unroll.model;
