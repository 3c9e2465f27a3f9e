// What all kernels share: how values are kept, sums over a warp and a block, and which values are dropped.
//
// Values of activations are f32, bf16 or f16 in memory, f32 in registers: a kernel is a template over how they are kept,
// and EACH names its three instances. Every sum runs in an order that does not change from run to run; nothing is added by
// atomic operations. Where there is no nvcc, emulated.h runs the same source on the host.

#pragma once

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
typedef __nv_bfloat16 bf16;
__device__ inline float get(bf16 v) { return __bfloat162float(v); }
__device__ inline void put(bf16& to, float v) { to = __float2bfloat16_rn(v); }
typedef __half f16;
__device__ inline float get(f16 v) { return __half2float(v); }
// Beyond 65504 it is infinity, which the gradients' length shows.
__device__ inline void put(f16& to, float v) { to = __float2half_rn(v); }
// Loops over arrays that are to be registers.
#define UNROLL _Pragma("unroll")
#define REGISTER(name)
// The line of whoever calls, which the emulated GPU tells where threads meet that should not.
#define OF_CALLER
#define CALLER
// A load or store of so many bytes at once, as the emulated GPU sees to it; a real one would fail.
__device__ inline void must_be_even(const void*, size_t) {}
#else
#include "emulated.h"
#endif

__device__ inline float get(float v) { return v; }
__device__ inline void put(float& to, float v) { to = v; }

typedef unsigned int u32;
typedef unsigned long long u64;

// The row of a value. Division in 64 bits is a long routine.
__device__ inline u32 row_at(u64 i, u32 columns) { return i >> 32 ? i / columns : (u32)i / columns; }

__device__ inline u32 column_at(u64 i, u32 columns) { return i >> 32 ? i % columns : (u32)i % columns; }

// Values that lie side by side, loaded and stored at once.
template <typename T, u32 N> struct alignas(N * sizeof(T)) Pack {
    T values[N];
};

// Whether packs may begin there, and in every row of so many columns behind it.
template <u32 N, typename T> __device__ inline bool is_even(const T* first, u32 columns) {
    return (u64)first % sizeof(Pack<T, N>) == 0 && columns % N == 0;
}

template <u32 N, typename T> __device__ inline Pack<T, N>& pack_at(T* first) {
    must_be_even(first, sizeof(Pack<T, N>));
    return *(Pack<T, N>*)first;
}

template <u32 N, typename T> __device__ inline const Pack<T, N>& pack_at(const T* first) {
    must_be_even(first, sizeof(Pack<T, N>));
    return *(const Pack<T, N>*)first;
}

#define EACH(X) X(float, f32) X(bf16, bf16) X(f16, f16)

// What gradients are multiplied by where their way back begins, so that f16 does not lose the small ones: see adam.cu. Null
// is 1.
__device__ inline float scale_of(const double* scale) { return scale ? (float)*scale : 1.0f; }

// The codes of activations, and what they make of a value: ops/activation.rs.
enum { IDENTITY, RELU, LEAKY, TANH };

constexpr float LEAK = 0.2f;

__device__ inline float activated(float v, int activation) {
    if (activation == RELU) return v > 0.0f ? v : 0.0f;
    if (activation == LEAKY) return v > 0.0f ? v : LEAK * v;
    return activation == TANH ? tanhf(v) : v;
}

// Lanes of a warp.
constexpr int WARP = 32;

__device__ inline float warp_sum(float v) {
    for (int d = WARP / 2; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
    return v;
}

__device__ inline float warp_most(float v) {
    for (int d = WARP / 2; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
    return v;
}

// The sum (or the greatest) of a value over a block of whole warps, for every thread; `part` holds one value of each warp.
template <bool MOST> __device__ inline float block_all(float v, float* part) {
    v = MOST ? warp_most(v) : warp_sum(v);
    __syncthreads();
    if (threadIdx.x % WARP == 0) part[threadIdx.x / WARP] = v;
    __syncthreads();
    int warps = blockDim.x / WARP, lane = threadIdx.x % WARP;
    v = lane < warps ? part[lane] : MOST ? -INFINITY : 0.0f;
    return MOST ? warp_most(v) : warp_sum(v);
}

// Which elements of a matrix are dropped: the hash of nn/dropout.rs, by the number of the row, counted from `first` on,
// and the column. A
// threshold of 0 drops nothing, and then scale is 1.
struct Mask {
    u32 low, high, first, threshold;
    float scale;
};

__device__ inline float masked(Mask mask, u32 row, u32 column, u32 columns, float v) {
    if (mask.threshold == 0) return v;
    u32 groups = (columns + 31) / 32;
    u32 x = (row + mask.first) * groups * 16 + column / 32 * 16 + column % 16 + mask.low;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= (x >> 15) ^ mask.high;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    u32 bits = column % 32 < 16 ? x & 0xffff : x >> 16;
    return bits >= mask.threshold ? v * mask.scale : 0.0f;
}
