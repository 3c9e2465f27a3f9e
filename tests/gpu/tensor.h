// A warp's tensor cores on the host: C (16, 8) = C + A (16, 16) · B (16, 8), each lane with its share of each (PTX ISA,
// mma.m16n8k16).

#pragma once

#include "emulated.h"

// A thread's share of the operands.
struct Shares {
    uint32_t a[4], b[2];
};

// Of each thread of a block, for this product and the last: see `exchanged`.
extern Shares shares[2][1024];

template <typename T> float half_of(uint32_t pair, unsigned half) { return get(T{(uint16_t)(pair >> 16 * half)}); }

template <typename T> void multiply(float* c, const uint32_t* a, uint32_t low, uint32_t high) {
    unsigned own = threadIdx.x, lane = own % 32;
    Shares* all = shares[exchange[own] = !exchange[own]];
    all[own] = {{a[0], a[1], a[2], a[3]}, {low, high}};
    wait_for_warp();
    const Shares* lanes = all + own / 32 * 32;
    for (unsigned e = 0; e < 4; e++) {
        unsigned row = lane / 4 + 8 * (e / 2), column = lane % 4 * 2 + e % 2;
        for (unsigned k = 0; k < 16; k++) {
            uint32_t left = lanes[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], right = lanes[column * 4 + k % 8 / 2].b[k / 8];
            c[e] += half_of<T>(left, k % 2) * half_of<T>(right, k % 2);
        }
    }
}
