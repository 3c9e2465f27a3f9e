// CUDA's language on the host, as far as the kernels of src/nn/ops/cuda use it: so that they can be run and checked
// where there is no GPU. blocks.cc runs them.

#pragma once

#include <math.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
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

// A line of a kernel's source. The place in its code would not do: compilers make several of one line.
struct Line {
    const char* file;
    int number;
};

constexpr Line here(const char* file = __builtin_FILE(), int number = __builtin_LINE()) { return {file, number}; }

#define OF_CALLER , Line line = here()
#define CALLER , line

void __syncthreads(Line line = here());

// Loads and stores of up to sixteen bytes at once begin at multiples of their size.
void must_be_even(const void* address, size_t bytes);

float __shfl_sync(unsigned mask, float value, unsigned lane, Line line = here());

inline float __shfl_xor_sync(unsigned mask, float value, unsigned distance, Line line = here()) {
    return __shfl_sync(mask, value, (threadIdx.x % 32) ^ distance, line);
}

// A kernel whose type is left out, and what runs one thread of it with arguments at these addresses.
using Code = void (*)();
using Call = void (*)(Code code, void** arguments);

int registered(const char* name, Call call, Code code);

// Arguments are read by the driver: no accesses of the kernel.
#define UNWATCHED __attribute__((no_sanitize_thread))

template <typename... A, size_t... I>
UNWATCHED void unpack(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
    kernel(*(A*)arguments[I]...);
}

template <typename... A> UNWATCHED void call(Code code, void** arguments) {
    unpack((void (*)(A...))code, arguments, std::index_sequence_for<A...>());
}

template <typename... A> int registered(const char* name, void (*kernel)(A...)) {
    return registered(name, call<A...>, (Code)kernel);
}

#define REGISTER(name) static int registered_##name = registered(#name, name);
