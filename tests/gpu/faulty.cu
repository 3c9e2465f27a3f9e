// Kernels with a fault each that checks.h finds, and sound ones that look like some of them: see faulty.sh.

#include "tensor.cuh"

constexpr unsigned THREADS = 64;

#define KERNEL(name) \
    void name(float* to, const float* from); \
    REGISTER(name) \
    void name([[maybe_unused]] float* to, [[maybe_unused]] const float* from)

KERNEL(sound_exchange) {
    __shared__ float part[THREADS];
    unsigned own = threadIdx.x, at = blockIdx.x * THREADS + own;
    part[own] = from[at];
    __syncthreads();
    to[at] = part[THREADS - 1 - own];
    __syncthreads();
    part[own] = __shfl_xor_sync(0xffffffffu, to[at], 1);
}

KERNEL(sound_halves) { put(((bf16*)to)[threadIdx.x + THREADS * blockIdx.x], 1.0f); }

KERNEL(sound_warp_that_leaves) {
    if (threadIdx.x >= 32) return;
    to[threadIdx.x + 32 * blockIdx.x] = __shfl_sync(0xffffffffu, 1.0f, 0);
}

KERNEL(reads_before_all_have_written) {
    __shared__ float part[THREADS];
    unsigned own = threadIdx.x;
    part[own] = 1.0f;
    if (own > 0) to[blockIdx.x * THREADS + own] = part[own - 1];
}

KERNEL(writes_before_all_have_read) {
    __shared__ float part[THREADS];
    unsigned own = threadIdx.x;
    part[own] = 1.0f;
    __syncthreads();
    to[blockIdx.x * THREADS + own] = part[(own + 1) % THREADS];
    part[own] = 2.0f;
}

KERNEL(takes_an_exchange_for_a_barrier) {
    __shared__ float part[THREADS];
    part[threadIdx.x] = 1.0f;
    float one = __shfl_sync(0xffffffffu, 1.0f, 0);
    to[blockIdx.x * THREADS + threadIdx.x] = one * part[threadIdx.x ^ 1];
}

KERNEL(two_blocks_write) { to[threadIdx.x] = 1.0f; }

KERNEL(a_block_reads_of_another) {
    to[blockIdx.x * THREADS + threadIdx.x] = blockIdx.x == 1 ? to[threadIdx.x] : 1.0f;
}

KERNEL(a_block_writes_what_others_have_read) {
    float read = from[threadIdx.x];
    to[blockIdx.x * THREADS + threadIdx.x] = read;
    if (blockIdx.x == 1) ((float*)from)[threadIdx.x] = 0.0f;
}

KERNEL(reads_one_further) { to[blockIdx.x * THREADS + threadIdx.x] = from[blockIdx.x * THREADS + threadIdx.x + 1]; }

KERNEL(writes_one_before) { (to - 1)[blockIdx.x * THREADS + threadIdx.x] = 1.0f; }

KERNEL(reads_what_nobody_wrote) { to[blockIdx.x * THREADS + threadIdx.x] += 1.0f; }

KERNEL(reads_what_the_last_block_left) {
    __shared__ float part[THREADS];
    if (blockIdx.x == 0) part[threadIdx.x] = 1.0f;
    to[blockIdx.x * THREADS + threadIdx.x] = part[threadIdx.x];
}

KERNEL(reads_between_two_values) { to[blockIdx.x * THREADS + threadIdx.x] = *(const float*)((const char*)from + 2); }

KERNEL(reads_of_the_host) {
    static float values[] = {1.0f, 2.0f};
    to[blockIdx.x * THREADS + threadIdx.x] = values[blockIdx.x]++;
}

KERNEL(threads_leave_before_a_barrier) {
    if (threadIdx.x == 40) return;
    __syncthreads();
}

KERNEL(threads_meet_at_two_barriers) {
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

KERNEL(lanes_leave_before_an_exchange) {
    if (threadIdx.x % 32 == 3) return;
    to[blockIdx.x * THREADS + threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 4);
}

KERNEL(lanes_leave_before_a_product) {
    if (threadIdx.x % 32 == 3) return;
    float sums[4] = {};
    uint32_t left[4] = {};
    multiply<bf16>(sums, left, 0, 0);
    to[blockIdx.x * THREADS + threadIdx.x] = sums[0];
}

KERNEL(lanes_meet_at_two_products) {
    float sums[4] = {};
    uint32_t left[4] = {};
    if (threadIdx.x % 32 < 16)
        multiply<f16>(sums, left, 0, 0);
    else
        multiply<f16>(sums, left, 0, 0);
    to[blockIdx.x * THREADS + threadIdx.x] = sums[0];
}
