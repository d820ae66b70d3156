package io.unroll.chunk;

import java.io.Serializable;

/**
 * The part of a prepared corpus that one Spark task evaluates: tokens or examples {@code [first, end)}.
 *
 * @param context start of the tokens that are read before {@code first} without being scored
 */
public record Shard(long context, long first, long end) implements Serializable {}
