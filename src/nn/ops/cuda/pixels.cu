// Images made smaller and larger, summed and stacked, and rows against those of a table: see ops/pixels.rs.

#include "values.cuh"

struct Image {
    u32 height, width, channels;
};

// small = share · Σ of the four pixels of each; n values of small images, `size` that of the large ones.
template <typename T> __device__ void gather_four(T* small, const T* large, u64 n, Image size, float share) {
    u32 line = size.width / 2 * size.channels;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        // Two lines of the large image to one of the small.
        u64 row = row_at(i, line);
        u32 at = column_at(i, line), c = at % size.channels, x = at / size.channels * 2;
        const T* from = large + (2 * row * size.width + x) * size.channels + c;
        u64 below = (u64)size.width * size.channels;
        put(small[i], share * (get(from[0]) + get(from[size.channels]) + get(from[below]) + get(from[below + size.channels])));
    }
}

// large = share · small, every pixel four times; n values of large images.
template <typename T> __device__ void spread_four(T* large, const T* small, u64 n, Image size, float share) {
    u32 line = size.width * size.channels;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u64 row = row_at(i, line);
        u32 at = column_at(i, line), c = at % size.channels, x = at / size.channels / 2;
        put(large[i], share * get(small[(row / 2 * (size.width / 2) + x) * size.channels + c]));
    }
}

// y = Σ over the pixels of each image, channel by channel; n values.
template <typename T> __device__ void sum_pixels(T* y, const T* x, u64 n, u32 pixels, u32 channels) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        const T* from = x + (u64)row_at(i, channels) * pixels * channels + column_at(i, channels);
        float sum = 0.0f;
        for (u32 p = 0; p < pixels; p++) sum += get(from[(u64)p * channels]);
        put(y[i], sum);
    }
}

// dx = dy of its image; n values of dx.
template <typename T> __device__ void repeat_pixels(T* dx, const T* dy, u64 n, u32 pixels, u32 channels) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        dx[i] = dy[(u64)(row_at(i, channels) / pixels) * channels + column_at(i, channels)];
}

// `together` images, one after the other, with their channels side by side; or back.
template <typename T>
__device__ void stack_pixels(T* to, const T* from, u64 n, u32 pixels, u32 channels, u32 together, u32 is_back) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 pixel = row_at(i, channels), c = column_at(i, channels), p = pixel % pixels, image = pixel / pixels;
        u64 stacked = (((u64)(image / together) * pixels + p) * together + image % together) * channels + c;
        if (is_back)
            to[i] = from[stacked];
        else
            to[stacked] = from[i];
    }
}

// y = x · E[label] of each row; a warp to a row.
template <typename T> __device__ void against(T* y, const T* x, const float* table, const u32* labels, u32 rows, u32 d) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    float sum = 0.0f;
    for (u32 i = lane; i < d; i += WARP) sum += get(x[(u64)row * d + i]) * table[(u64)labels[row] * d + i];
    sum = warp_sum(sum);
    if (lane == 0) put(y[row], sum);
}

// dx = dy · E[label]
template <typename T> __device__ void against_back(T* dx, const T* dy, const float* table, const u32* labels, u32 rows, u32 d) {
    u64 n = (u64)rows * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, d);
        put(dx[i], get(dy[row]) * table[(u64)labels[row] * d + column_at(i, d)]);
    }
}

// dE[label] = dE[label] + Σ dy · x over the rows of each label, in their order; a block to a label, as `collect`.
template <typename T>
__device__ void against_table(float* table, const T* dy, const T* x, const u32* tokens, const u32* starts, const u32* order,
                              u32 d) {
    for (u32 column = threadIdx.x; column < d; column += blockDim.x) {
        float sum = 0.0f;
        for (u32 i = starts[blockIdx.x]; i < starts[blockIdx.x + 1]; i++)
            sum += get(dy[order[i]]) * get(x[(u64)order[i] * d + column]);
        table[(u64)tokens[blockIdx.x] * d + column] += sum;
    }
}

#define PIXELS(T, S) \
    extern "C" __global__ void gather_four_##S(T* small, const T* large, u64 n, Image size, float share) { \
        gather_four<T>(small, large, n, size, share); \
    } \
    REGISTER(gather_four_##S) \
    extern "C" __global__ void spread_four_##S(T* large, const T* small, u64 n, Image size, float share) { \
        spread_four<T>(large, small, n, size, share); \
    } \
    REGISTER(spread_four_##S) \
    extern "C" __global__ void sum_pixels_##S(T* y, const T* x, u64 n, u32 pixels, u32 channels) { \
        sum_pixels<T>(y, x, n, pixels, channels); \
    } \
    REGISTER(sum_pixels_##S) \
    extern "C" __global__ void repeat_pixels_##S(T* dx, const T* dy, u64 n, u32 pixels, u32 channels) { \
        repeat_pixels<T>(dx, dy, n, pixels, channels); \
    } \
    REGISTER(repeat_pixels_##S) \
    extern "C" __global__ void stack_pixels_##S(T* to, const T* from, u64 n, u32 pixels, u32 channels, u32 together, \
                                                u32 is_back) { \
        stack_pixels<T>(to, from, n, pixels, channels, together, is_back); \
    } \
    REGISTER(stack_pixels_##S) \
    extern "C" __global__ void against_##S(T* y, const T* x, const float* table, const u32* labels, u32 rows, u32 d) { \
        against<T>(y, x, table, labels, rows, d); \
    } \
    REGISTER(against_##S) \
    extern "C" __global__ void against_back_##S(T* dx, const T* dy, const float* table, const u32* labels, u32 rows, u32 d) { \
        against_back<T>(dx, dy, table, labels, rows, d); \
    } \
    REGISTER(against_back_##S) \
    extern "C" __global__ void against_table_##S(float* table, const T* dy, const T* x, const u32* tokens, \
                                                 const u32* starts, const u32* order, u32 d) { \
        against_table<T>(table, dy, x, tokens, starts, order, d); \
    } \
    REGISTER(against_table_##S)
EACH(PIXELS)
