// What follows the product of a linear layer, and what its gradient goes back through.
//
//   Y = drop(f(Y + b))        dZ = dY ∘ mask ∘ f′        db = db + Σ_rows dZ
//
// The formulas and the codes of activations are those of ops/linear.rs and ops/activation.rs. Without a bias (null)
// nothing is added.

#include "values.cuh"

template <u32 N, typename T>
__device__ void finish_packs(T* y, const float* bias, u32 rows, u32 columns, int activation, Mask mask) {
    u32 packs = columns / N;
    u64 n = (u64)rows * packs;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, packs), column = column_at(i, packs) * N;
        Pack<T, N> pack = pack_at<N>(y + i * N);
        Pack<float, N> own = {};
        if (bias) own = pack_at<N>(bias + column);
        UNROLL for (u32 e = 0; e < N; e++) {
            float v = activated(get(pack.values[e]) + own.values[e], activation);
            put(pack.values[e], masked(mask, row, column + e, columns, v));
        }
        pack_at<N>(y + i * N) = pack;
    }
}

template <typename T>
__device__ void finish(T* y, const float* bias, u32 rows, u32 columns, int activation, Mask mask) {
    if (is_even<8>(y, columns) && is_even<8>(bias, columns)) return finish_packs<8>(y, bias, rows, columns, activation, mask);
    finish_packs<1>(y, bias, rows, columns, activation, mask);
}

// y is what came out of `finish`: positive exactly where a relu passed and nothing was dropped.
template <u32 N, typename T>
__device__ void undo_packs(T* dy, const T* y, u32 rows, u32 columns, int activation, Mask mask) {
    u32 packs = columns / N;
    u64 n = (u64)rows * packs;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, packs), column = column_at(i, packs) * N;
        Pack<T, N> pack = pack_at<N>(dy + i * N), out = pack_at<N>(y + i * N);
        UNROLL for (u32 e = 0; e < N; e++) {
            float d = masked(mask, row, column + e, columns, get(pack.values[e])), v = get(out.values[e]);
            if (activation == RELU) d = v > 0.0f ? d : 0.0f;
            if (activation == LEAKY) d *= v > 0.0f ? 1.0f : LEAK;
            if (activation == TANH) d *= 1.0f - (v / mask.scale) * (v / mask.scale);
            put(pack.values[e], d);
        }
        pack_at<N>(dy + i * N) = pack;
    }
}

template <typename T>
__device__ void undo(T* dy, const T* y, u32 rows, u32 columns, int activation, Mask mask) {
    if (is_even<8>(dy, columns) && is_even<8>(y, columns)) return undo_packs<8>(dy, y, rows, columns, activation, mask);
    undo_packs<1>(dy, y, rows, columns, activation, mask);
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
