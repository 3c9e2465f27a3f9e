// Rows of a table for tokens, and the gradient of the table.
//
//   Y[i] = drop(s · E[token i] + P[position i])        dE[t] = dE[t] + s · Σ_{token i = t} dY[i] ∘ mask
//
// As in ops/embedding.rs. Going back, a block has one token of the table and adds up its rows in their order, which the
// host has listed: `order` has the rows sorted by token, `starts` where each token's begin.

#include "values.cuh"

template <typename T>
__device__ void embed(T* y, const float* table, const float* places, const u32* ids, const u32* positions, u32 rows, u32 d,
                      float scale, Mask mask) {
    u64 n = (u64)rows * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, d), column = column_at(i, d);
        float v = scale * table[(u64)ids[row] * d + column];
        if (places) v += places[(u64)positions[row] * d + column];
        put(y[i], masked(mask, row, column, d, v));
    }
}

// Grid (tokens, d / threads).
template <typename T>
__device__ void collect(float* table, const T* dy, const u32* tokens, const u32* starts, const u32* order, u32 d,
                        float scale, Mask mask) {
    u32 column = blockIdx.y * blockDim.x + threadIdx.x;
    if (column >= d) return;
    float sum = 0.0f;
    u32 i = starts[blockIdx.x], end = starts[blockIdx.x + 1];
    // A frequent token has thousands of rows: several loads are under way at once.
    constexpr u32 AHEAD = 8;
    for (; i + AHEAD <= end; i += AHEAD) {
        float values[AHEAD];
        UNROLL for (u32 k = 0; k < AHEAD; k++) {
            u32 row = order[i + k];
            values[k] = masked(mask, row, column, d, get(dy[(u64)row * d + column]));
        }
        UNROLL for (u32 k = 0; k < AHEAD; k++) sum += values[k];
    }
    for (; i < end; i++) {
        u32 row = order[i];
        sum += masked(mask, row, column, d, get(dy[(u64)row * d + column]));
    }
    table[(u64)tokens[blockIdx.x] * d + column] += scale * sum;
}

#define EMBEDDING(T, S) \
    extern "C" __global__ void embed_##S(T* y, const float* table, const float* places, const u32* ids, \
                                         const u32* positions, u32 rows, u32 d, float scale, Mask mask) { \
        embed<T>(y, table, places, ids, positions, rows, d, scale, mask); \
    } \
    REGISTER(embed_##S) \
    extern "C" __global__ void collect_##S(float* table, const T* dy, const u32* tokens, const u32* starts, \
                                           const u32* order, u32 d, float scale, Mask mask) { \
        collect<T>(table, dy, tokens, starts, order, d, scale, mask); \
    } \
    REGISTER(collect_##S)
EACH(EMBEDDING)
