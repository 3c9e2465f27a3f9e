// What attention's kernels are given.

#pragma once

#include "values.cuh"

// Warps of a block.
constexpr u32 WARPS = 4;

// A sentence's rows: the first query, how many, the first key, how many, and the first row of this block's tile.
struct Span {
    u32 query, queries, key, keys, tile;
};

// Matrices of queries and of keys and values: their widths, and the columns where keys and values begin.
struct Shape {
    u32 q_width, kv_width, key, value, d, heads, size, is_causal;
    float scale;
};

// Whether a query sees a key, both counted within their sentence.
__device__ inline bool is_seen(Shape s, Span span, u32 query, u32 key) {
    return key < span.keys && (!s.is_causal || key <= query);
}
