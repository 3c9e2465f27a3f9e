// Products by a warp's tensor cores: of rows of two-byte values, summed in f32.
//
//   C (16, 8) = C + A (16, 16) · B (16, 8)
//
// Every lane has a share of each matrix (PTX ISA, mma.m16n8k16). With g = lane / 4 and t = lane % 4 these are, of A, the rows
// g and g + 8, of B the column g, both at 2 t, 2 t + 1, 2 t + 8 and 2 t + 9; of C the rows g and g + 8 at the columns 2 t and
// 2 t + 1.
//
// Along what a product sums over, any order will do that both operands have. So a lane takes eight columns that lie side by
// side, or four, in one load, and calls them by the numbers above.

#pragma once

#include "values.cuh"

#ifdef __CUDACC__
template <typename T> __device__ inline void multiply_16(float* c, const u32* a, u32 low, u32 high);

// Nothing before 8.0: the host takes other kernels there.
template <> __device__ inline void multiply_16<bf16>(float* c, const u32* a, u32 low, u32 high) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(low), "r"(high));
#endif
}

template <> __device__ inline void multiply_16<f16>(float* c, const u32* a, u32 low, u32 high) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(low), "r"(high));
#endif
}

// C + A (16, 8) · B (8, 8), and nothing before 7.5.
__device__ inline void multiply_8(float* c, const u32* a, u32 b) {
#if __CUDA_ARCH__ >= 750
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(b));
#endif
}
#else
#include "tensor.h"
#endif

// Whether it takes two of half the length: in f16 on 7.5, and on the host, that these are seen to as well.
template <typename T> constexpr bool IN_HALVES = false;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ < 800
template <> constexpr bool IN_HALVES<f16> = true;
#endif

template <typename T> __device__ inline void multiply(float* c, const u32* a, u32 low, u32 high OF_CALLER) {
    if constexpr (IN_HALVES<T>) {
        multiply_8(c, a, low CALLER);
        multiply_8(c, a + 2, high CALLER);
    } else {
        multiply_16<T>(c, a, low, high CALLER);
    }
}

// Two values in one word, the first in its lower half.
template <typename T> union Pair {
    u32 word;
    T values[2];
};

template <typename T> __device__ inline u32 paired(float first, float second) {
    Pair<T> pair;
    put(pair.values[0], first);
    put(pair.values[1], second);
    return pair.word;
}

// What a lane loads and stores at once.
struct alignas(16) Eight {
    u32 pairs[4];
};

struct alignas(8) Four {
    u32 pairs[2];
};

// Rows of one head in a matrix, and which of their columns are used: a multiple of eight. There are `rows` of them; those beyond
// are 0.
template <typename T> struct Head {
    const T* first;
    u32 width, rows, size;

    template <typename L> __device__ L load(u32 row, u32 column) const {
        if (row >= rows || column >= size) return L();
        const T* place = first + (u64)row * width + column;
        must_be_even(place, sizeof(L));
        return *(const L*)place;
    }
};

template <typename T>
__device__ inline Head<T> head_of(const T* matrix, u32 width, u32 row, u32 rows, u32 column, u32 size) {
    return {matrix + (u64)row * width + column, width, rows, size};
}

// Sixteen rows, as products along their columns take them: rows g and g + 8, and of each 32 columns those from 8 t on.
template <u32 SIZE> struct Sixteen {
    Eight parts[SIZE / 32][2];
};

template <u32 SIZE, typename T> __device__ inline Sixteen<SIZE> sixteen(Head<T> head, u32 first) {
    u32 lane = threadIdx.x % WARP, g = lane / 4, t = lane % 4;
    Sixteen<SIZE> rows;
    UNROLL for (u32 c = 0; c < SIZE / 32; c++)
        UNROLL for (u32 h = 0; h < 2; h++) rows.parts[c][h] = head.template load<Eight>(first + g + 8 * h, 32 * c + 8 * t);
    return rows;
}

// A · Bᵀ (16, 16), in two parts of eight columns.
template <u32 SIZE, typename T>
__device__ inline void products_of_rows(float (*to)[4], const Sixteen<SIZE>& a, const Sixteen<SIZE>& b) {
    UNROLL for (u32 j = 0; j < 2; j++) UNROLL for (u32 e = 0; e < 4; e++) to[j][e] = 0.0f;
    UNROLL for (u32 c = 0; c < SIZE / 32; c++)
        UNROLL for (u32 k = 0; k < 4; k += 2) {
            const Eight* rows = a.parts[c];
            u32 left[4] = {rows[0].pairs[k], rows[1].pairs[k], rows[0].pairs[k + 1], rows[1].pairs[k + 1]};
            UNROLL for (u32 j = 0; j < 2; j++)
                multiply<T>(to[j], left, b.parts[c][j].pairs[k], b.parts[c][j].pairs[k + 1]);
        }
}

// Rows of results: at [c][n][e] that of row g + 8 (e / 2) and column 32 c + 8 t + 4 (e % 2) + n.
template <u32 SIZE> struct Mixed {
    float values[SIZE / 32][4][4];
};

// R (16, SIZE) = R + W (16, 16) · the sixteen rows from `first` on; W is as `products_of_rows` leaves it.
template <u32 SIZE, typename T>
__device__ inline void mix(Mixed<SIZE>& result, const float (*w)[4], Head<T> head, u32 first) {
    u32 lane = threadIdx.x % WARP, g = lane / 4, t = lane % 4;
    u32 left[4] = {paired<T>(w[0][0], w[0][1]), paired<T>(w[0][2], w[0][3]), paired<T>(w[1][0], w[1][1]),
                   paired<T>(w[1][2], w[1][3])};
    UNROLL for (u32 c = 0; c < SIZE / 32; c++) {
        Four rows[4];
        UNROLL for (u32 r = 0; r < 4; r++)
            rows[r] = head.template load<Four>(first + 2 * t + r % 2 + 8 * (r / 2), 32 * c + 4 * g);
        // What is summed over lies in rows: their words are halved and paired anew.
        UNROLL for (u32 n = 0; n < 4; n++) {
            u32 down = n % 2 * 16, own = n / 2;
            u32 low = (rows[0].pairs[own] >> down & 0xffff) | rows[1].pairs[own] >> down << 16;
            u32 high = (rows[2].pairs[own] >> down & 0xffff) | rows[3].pairs[own] >> down << 16;
            multiply<T>(result.values[c][n], left, low, high);
        }
    }
}

// The row g + 8 h of results, each times `factor`: eight columns that lie side by side.
template <u32 SIZE, typename T> __device__ inline Eight eight_of(const Mixed<SIZE>& result, u32 c, u32 h, float factor) {
    Eight eight;
    UNROLL for (u32 p = 0; p < 4; p++) {
        const float(*values)[4] = result.values[c] + 2 * (p % 2);
        u32 e = 2 * h + p / 2;
        eight.pairs[p] = paired<T>(values[0][e] * factor, values[1][e] * factor);
    }
    return eight;
}

// Sums and maxima over the four lanes that share a row.
__device__ inline float row_sum(float v) {
    for (int d = 2; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
    return v;
}

__device__ inline float row_most(float v) {
    for (int d = 2; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
    return v;
}
