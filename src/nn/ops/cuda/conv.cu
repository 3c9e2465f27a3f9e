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

// n values, N channels of a pixel at once.
template <u32 N, typename T> __device__ void unfold_packs(T* rows, const T* images, u64 n, Window w) {
    u32 channels = w.channels / N, seen = w.kernel * w.kernel * channels, places = w.rows * w.columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n / N; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, seen), at = column_at(i, seen), image = row / places, place = row % places;
        u32 pixel = at / channels, c = at % channels * N;
        u32 y = place / w.columns * w.stride + pixel / w.kernel - w.padding;
        u32 x = place % w.columns * w.stride + pixel % w.kernel - w.padding;
        Pack<T, N> values = {};
        // What lies before the first wraps around to far behind the last.
        if (y < w.height && x < w.width)
            values = pack_at<N>(images + (((u64)image * w.height + y) * w.width + x) * w.channels + c);
        pack_at<N>(rows + i * N) = values;
    }
}

template <typename T> __device__ void unfold(T* rows, const T* images, u64 n, Window w) {
    if (is_even<8>(rows, w.channels) && is_even<8>(images, w.channels)) return unfold_packs<8>(rows, images, n, w);
    unfold_packs<1>(rows, images, n, w);
}

template <u32 N, typename T> __device__ void fold_packs(T* images, const T* rows, u64 n, Window w) {
    u32 seen = w.kernel * w.kernel * w.channels, channels = w.channels / N, line = w.width * channels;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n / N; i += (u64)gridDim.x * blockDim.x) {
        u32 whole = row_at(i, line), at = column_at(i, line), image = whole / w.height;
        u32 y = whole % w.height + w.padding, x = at / channels + w.padding, c = at % channels * N;
        float sums[N] = {};
        for (u32 p = 0; p < w.kernel && p <= y; p++) {
            u32 row = (y - p) / w.stride;
            if ((y - p) % w.stride || row >= w.rows) continue;
            for (u32 q = 0; q < w.kernel && q <= x; q++) {
                u32 column = (x - q) / w.stride;
                if ((x - q) % w.stride || column >= w.columns) continue;
                u64 place = ((u64)image * w.rows + row) * w.columns + column;
                auto from = pack_at<N>(rows + place * seen + (p * w.kernel + q) * w.channels + c);
                UNROLL for (u32 e = 0; e < N; e++) sums[e] += get(from.values[e]);
            }
        }
        Pack<T, N> values;
        UNROLL for (u32 e = 0; e < N; e++) put(values.values[e], sums[e]);
        pack_at<N>(images + i * N) = values;
    }
}

template <typename T> __device__ void fold(T* images, const T* rows, u64 n, Window w) {
    if (is_even<8>(rows, w.channels) && is_even<8>(images, w.channels)) return fold_packs<8>(images, rows, n, w);
    fold_packs<1>(images, rows, n, w);
}

#define CONV(T, S) \
    extern "C" __global__ void unfold_##S(T* rows, const T* images, u64 n, Window w) { unfold<T>(rows, images, n, w); } \
    REGISTER(unfold_##S) \
    extern "C" __global__ void fold_##S(T* images, const T* rows, u64 n, Window w) { fold<T>(images, rows, n, w); } \
    REGISTER(fold_##S)
EACH(CONV)
