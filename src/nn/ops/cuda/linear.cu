// What follows the product of a linear layer, and what its gradient goes back through.
//
//   Y = drop(f(Y + b))        dZ = dY ∘ mask ∘ f′        db = db + Σ_rows dZ
//
// The formulas and the codes of activations are those of ops/linear.rs and ops/activation.rs. Without a bias (null)
// nothing is added.

#include "values.cuh"

template <typename T>
__device__ void finish(T* y, const float* bias, u32 rows, u32 columns, int activation, Mask mask) {
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, columns), column = column_at(i, columns);
        float v = get(y[i]) + (bias ? bias[column] : 0.0f);
        put(y[i], masked(mask, row, column, columns, activated(v, activation)));
    }
}

// y is what came out of `finish`: positive exactly where a relu passed and nothing was dropped.
template <typename T>
__device__ void undo(T* dy, const T* y, u32 rows, u32 columns, int activation, Mask mask) {
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, columns), column = column_at(i, columns);
        float d = masked(mask, row, column, columns, get(dy[i])), v = get(y[i]);
        if (activation == RELU) d = v > 0.0f ? d : 0.0f;
        if (activation == LEAKY) d *= v > 0.0f ? 1.0f : LEAK;
        if (activation == TANH) d *= 1.0f - (v / mask.scale) * (v / mask.scale);
        put(dy[i], d);
    }
}

// Sums of columns in two steps: a block adds up 32 columns of a share of the rows, and then the shares are added up.
// 32 × 8 threads; grid (columns / 32, shares).
template <typename T>
__device__ void column_shares(float* shares, const T* x, u32 rows, u32 columns) {
    __shared__ float part[8][WARP + 1];
    u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, column = blockIdx.x * WARP + lane;
    u32 share = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * share;
    u32 end = first + share < rows ? first + share : rows;
    float sum = 0.0f;
    if (column < columns)
        for (u32 row = first + warp; row < end; row += 8) sum += get(x[(u64)row * columns + column]);
    part[warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && column < columns) {
        for (int w = 1; w < 8; w++) sum += part[w][lane];
        shares[(u64)blockIdx.y * columns + column] = sum;
    }
}

extern "C" __global__ void add_shares(float* to, const float* shares, u32 count, u32 stride, u32 columns) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    float sum = 0.0f;
    for (u32 i = 0; i < count; i++) sum += shares[(u64)i * stride + column];
    to[column] += sum;
}
REGISTER(add_shares)

#define LINEAR(T, S) \
    extern "C" __global__ void finish_##S(T* y, const float* bias, u32 rows, u32 columns, int activation, Mask mask) { \
        finish<T>(y, bias, rows, columns, activation, mask); \
    } \
    REGISTER(finish_##S) \
    extern "C" __global__ void undo_##S(T* dy, const T* y, u32 rows, u32 columns, int activation, Mask mask) { \
        undo<T>(dy, y, rows, columns, activation, mask); \
    } \
    REGISTER(undo_##S) \
    extern "C" __global__ void column_shares_##S(float* shares, const T* x, u32 rows, u32 columns) { \
        column_shares<T>(shares, x, rows, columns); \
    } \
    REGISTER(column_shares_##S)
EACH(LINEAR)
