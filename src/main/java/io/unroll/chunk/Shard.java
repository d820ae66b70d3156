package io.unroll.chunk;

import java.io.Serializable;

/** A part of a prepared corpus that one task evaluates: {@code [first, end)}, and from {@code context} on is given. */
public record Shard(long context, long first, long end) implements Serializable {}
