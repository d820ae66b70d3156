/**
 * The arithmetic of networks on oneDNN and OpenBLAS: recurrent layers, the softmax output and the embedding. Classes here
 * work on plain native memory and know neither Deeplearning4j nor Spark. Read {@link io.unroll.kernel.CellType} first
 * (the equations), then {@link io.unroll.kernel.RecurrentKernel}.
 *
 * <pre>
 *   Embedding          token ids                to [steps, lanes, size]      (OpenBLAS copies rows of the table)
 *   RecurrentKernel    [steps, lanes, inputs]   to [steps, lanes, hidden]    and the state [lanes, hidden]
 *     PrimitiveKernel       all steps in one call of oneDNN
 *       RecurrentPrimitives   oneDNN's RNN, LSTM and GRU primitives, forward and backward
 *       Blocks                gates in Deeplearning4j's order, copied to and from oneDNN's
 *     StepKernel            step by step, with OpenBLAS
 *       CellStep              the equations of a step, in plain Java; a subclass for each cell
 *       BlasMatrix            OpenBLAS's matrix product
 *   SoftmaxKernel      [rows, hidden]           to logits, loss and gradients
 *     MatMul, Elementwise   oneDNN's matrix product, exp and log-softmax
 *
 *   BoundPrimitive     a oneDNN primitive with its arguments; all primitives run through it
 *   ConvertedArray     float32 for callers, bfloat16 for the primitive if the precision asks for it
 *   KernelMemory       the scratchpad and the arrays of all kernels of one network
 * </pre>
 */
package io.unroll.kernel;
