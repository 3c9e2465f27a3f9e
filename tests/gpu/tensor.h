// A warp's tensor cores on the host: C (16, 8) = C + A (16, 16) · B (16, 8), or of half that length, each lane with its share
// of each (PTX ISA, mma.m16n8k16 and mma.m16n8k8).

#pragma once

#include "emulated.h"

// A thread's share of the operands.
struct Shares {
    uint32_t a[4], b[2];
};

// Those of a warp's lanes, when all have theirs.
const Shares* operands_of_warp(const Shares& own, Line line);

template <typename T> float half_of(uint32_t pair, unsigned half) { return get(T{(uint16_t)(pair >> 16 * half)}); }

// Sums over `length`: 16 or 8.
template <typename T> UNWATCHED void multiply_shares(float* c, const Shares& own, unsigned length, Line line) {
    unsigned lane = threadIdx.x % 32;
    const Shares* lanes = operands_of_warp(own, line);
    for (unsigned e = 0; e < 4; e++) {
        unsigned row = lane / 4 + 8 * (e / 2), column = lane % 4 * 2 + e % 2;
        for (unsigned k = 0; k < length; k++) {
            uint32_t left = lanes[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], right = lanes[column * 4 + k % 8 / 2].b[k / 8];
            c[e] += half_of<T>(left, k % 2) * half_of<T>(right, k % 2);
        }
    }
}

template <typename T>
UNWATCHED void multiply_16(float* c, const uint32_t* a, uint32_t low, uint32_t high, Line line) {
    multiply_shares<T>(c, {{a[0], a[1], a[2], a[3]}, {low, high}}, 16, line);
}

UNWATCHED inline void multiply_8(float* c, const uint32_t* a, uint32_t b, Line line) {
    multiply_shares<f16>(c, {{a[0], a[1], 0, 0}, {b, 0}}, 8, line);
}
