// What windows see of images, as rows, and rows put back.
//
//   S: row (image, place) = the values within the window there, 0 outside        Sᵀ: image = Σ of what rows say of each value
//
// As in ops/conv/window.rs; the products between are cuBLAS'. Putting back gathers, for each value, the rows that see it, in
// the order of the window: nothing is added by two at once.

#include "values.cuh"

struct Window {
    u32 height, width, channels, kernel, stride, padding, rows, columns;
};

template <typename T> __device__ void unfold(T* rows, const T* images, u64 n, Window w) {
    u32 seen = w.kernel * w.kernel * w.channels, places = w.rows * w.columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, seen), at = column_at(i, seen), image = row / places, place = row % places;
        u32 pixel = at / w.channels, c = at % w.channels;
        u32 y = place / w.columns * w.stride + pixel / w.kernel - w.padding;
        u32 x = place % w.columns * w.stride + pixel % w.kernel - w.padding;
        // What lies before the first wraps around to far behind the last.
        bool is_within = y < w.height && x < w.width;
        if (is_within)
            rows[i] = images[(((u64)image * w.height + y) * w.width + x) * w.channels + c];
        else
            put(rows[i], 0.0f);
    }
}

template <typename T> __device__ void fold(T* images, const T* rows, u64 n, Window w) {
    u32 seen = w.kernel * w.kernel * w.channels, line = w.width * w.channels;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 whole = row_at(i, line), at = column_at(i, line), image = whole / w.height;
        u32 y = whole % w.height + w.padding, x = at / w.channels + w.padding, c = at % w.channels;
        float sum = 0.0f;
        for (u32 p = 0; p < w.kernel && p <= y; p++) {
            u32 row = (y - p) / w.stride;
            if ((y - p) % w.stride || row >= w.rows) continue;
            for (u32 q = 0; q < w.kernel && q <= x; q++) {
                u32 column = (x - q) / w.stride;
                if ((x - q) % w.stride || column >= w.columns) continue;
                u64 place = ((u64)image * w.rows + row) * w.columns + column;
                sum += get(rows[place * seen + (p * w.kernel + q) * w.channels + c]);
            }
        }
        put(images[i], sum);
    }
}

#define CONV(T, S) \
    extern "C" __global__ void unfold_##S(T* rows, const T* images, u64 n, Window w) { unfold<T>(rows, images, n, w); } \
    REGISTER(unfold_##S) \
    extern "C" __global__ void fold_##S(T* images, const T* rows, u64 n, Window w) { fold<T>(images, rows, n, w); } \
    REGISTER(fold_##S)
EACH(CONV)
