// CUDA's language on the host, as far as the kernels of src/nn/ops/cuda use it: so that they can be run and checked
// where there is no GPU.
//
// The threads of a block are fibres of one host thread; each runs until it waits for others (__syncthreads, or an
// exchange within a warp) or ends. Blocks run one after the other. A kernel is called by its name, its arguments
// unpacked by the types it declares.

#pragma once

#include <math.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "halves.h"

#define UNROLL
#define __global__
#define __device__
#define __shared__ static

using std::ptrdiff_t;
using std::size_t;

struct Index {
    unsigned x, y, z;
};

extern Index blockIdx, threadIdx, blockDim, gridDim;

// Lets the other fibres of the block (or of the warp) reach the same place.
void wait_for_block();
void wait_for_warp();

inline void __syncthreads() { wait_for_block(); }

// A value of each thread of a block, for this exchange and the last: nobody is two ahead. Which is this one: `exchange`.
extern float exchanged[2][1024];
extern bool exchange[1024];

inline float __shfl_sync(unsigned, float value, unsigned lane) {
    unsigned own = threadIdx.x;
    float* values = exchanged[exchange[own] = !exchange[own]];
    values[own] = value;
    wait_for_warp();
    return values[own / 32 * 32 + lane % 32];
}

inline float __shfl_xor_sync(unsigned mask, float value, unsigned distance) {
    return __shfl_sync(mask, value, (threadIdx.x % 32) ^ distance);
}

// Kernels by name: what runs one thread of it with arguments at these addresses.
using Kernel = std::function<void(void**)>;
std::map<std::string, Kernel>& kernels();

template <typename... A, size_t... I>
Kernel unpacked(void (*kernel)(A...), std::index_sequence<I...>) {
    return [kernel](void** arguments) { kernel(*(std::remove_const_t<A>*)arguments[I]...); };
}

template <typename... A> int registered(const char* name, void (*kernel)(A...)) {
    kernels()[name] = unpacked(kernel, std::index_sequence_for<A...>());
    return 0;
}

#define REGISTER(name) static int registered_##name = registered(#name, name);
