// Sums, copies and masks of whole matrices.

#include "values.cuh"

// to = to + from
template <typename T> __device__ void add(T* to, const T* from, u64 n) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        put(to[i], get(to[i]) + get(from[i]));
}

// to = mask ∘ from; they may be one.
template <u32 N, typename T> __device__ void drop_packs(T* to, const T* from, u32 rows, u32 columns, Mask mask) {
    u32 packs = columns / N;
    u64 n = (u64)rows * packs;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, packs), column = column_at(i, packs) * N;
        Pack<T, N> pack = pack_at<N>(from + i * N);
        UNROLL for (u32 e = 0; e < N; e++)
            put(pack.values[e], masked(mask, row, column + e, columns, get(pack.values[e])));
        pack_at<N>(to + i * N) = pack;
    }
}

template <typename T> __device__ void drop(T* to, const T* from, u32 rows, u32 columns, Mask mask) {
    if (is_even<8>(to, columns) && is_even<8>(from, columns)) return drop_packs<8>(to, from, rows, columns, mask);
    drop_packs<1>(to, from, rows, columns, mask);
}

template <typename T> __device__ void from_f32(T* to, const float* from, u64 n) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) put(to[i], from[i]);
}

template <typename T> __device__ void add_to_f32(float* to, const T* from, u64 n) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) to[i] += get(from[i]);
}

// Columns of one matrix to columns of another: where each begins, and how wide each is.
template <typename T>
__device__ void copy_columns(T* to, u32 to_width, u32 to_first, const T* from, u32 from_width, u32 from_first, u32 rows,
                             u32 columns) {
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u64 row = row_at(i, columns), column = column_at(i, columns);
        to[row * to_width + to_first + column] = from[row * from_width + from_first + column];
    }
}

// to[i] = from[picks[i]]
template <typename T, typename F> __device__ void pick(T* to, const F* from, const u32* picks, u32 rows, u32 d) {
    u64 n = (u64)rows * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        put(to[i], get(from[(u64)picks[row_at(i, d)] * d + column_at(i, d)]));
}

// So many columns of rows, from `first` on, to rows of what is kept.
template <typename T>
__device__ void keep_rows(T* kept, const T* from, const u32* places, u32 rows, u32 width, u32 first, u32 columns) {
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, columns), column = column_at(i, columns);
        kept[(u64)places[row] * columns + column] = from[(u64)row * width + first + column];
    }
}

// to[picked] = Σ of the rows that were picked from it, in their order; a block to a row that was picked.
template <typename T>
__device__ void unpick(T* to, const T* dy, const u32* picked, const u32* starts, const u32* order, u32 d) {
    for (u32 j = threadIdx.x; j < d; j += blockDim.x) {
        float sum = 0.0f;
        for (u32 i = starts[blockIdx.x]; i < starts[blockIdx.x + 1]; i++) sum += get(dy[(u64)order[i] * d + j]);
        put(to[(u64)picked[blockIdx.x] * d + j], sum);
    }
}

#define ROWS(T, S) \
    extern "C" __global__ void add_##S(T* to, const T* from, u64 n) { add<T>(to, from, n); } \
    REGISTER(add_##S) \
    extern "C" __global__ void copy_columns_##S(T* to, u32 to_width, u32 to_first, const T* from, u32 from_width, \
                                                u32 from_first, u32 rows, u32 columns) { \
        copy_columns<T>(to, to_width, to_first, from, from_width, from_first, rows, columns); \
    } \
    REGISTER(copy_columns_##S) \
    extern "C" __global__ void pick_##S(T* to, const T* from, const u32* picks, u32 rows, u32 d) { \
        pick(to, from, picks, rows, d); \
    } \
    REGISTER(pick_##S) \
    extern "C" __global__ void pick_f32_##S(T* to, const float* from, const u32* picks, u32 rows, u32 d) { \
        pick(to, from, picks, rows, d); \
    } \
    REGISTER(pick_f32_##S) \
    extern "C" __global__ void keep_rows_##S(T* kept, const T* from, const u32* places, u32 rows, u32 width, u32 first, \
                                             u32 columns) { \
        keep_rows<T>(kept, from, places, rows, width, first, columns); \
    } \
    REGISTER(keep_rows_##S) \
    extern "C" __global__ void unpick_##S(T* to, const T* dy, const u32* picked, const u32* starts, const u32* order, \
                                          u32 d) { \
        unpick<T>(to, dy, picked, starts, order, d); \
    } \
    REGISTER(unpick_##S) \
    extern "C" __global__ void from_f32_##S(T* to, const float* from, u64 n) { from_f32<T>(to, from, n); } \
    REGISTER(from_f32_##S) \
    extern "C" __global__ void add_to_f32_##S(float* to, const T* from, u64 n) { add_to_f32<T>(to, from, n); } \
    REGISTER(add_to_f32_##S) \
    extern "C" __global__ void drop_##S(T* to, const T* from, u32 rows, u32 columns, Mask mask) { \
        drop<T>(to, from, rows, columns, mask); \
    } \
    REGISTER(drop_##S)
EACH(ROWS)
