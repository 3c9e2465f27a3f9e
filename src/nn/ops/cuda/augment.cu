// Images changed at random, and the way back: a block to an image.
//
//   y[p] = c · (s · x + (1 − s) · m) + (1 − c) · M        x = from[p + shift] + b, m its pixel's mean, M the image's
//   dx   = the same of dy from where it went to, without b
//
// As in ops/augment.rs. What is cut out, and what comes from outside, is 0.

#include "values.cuh"

// The changes of an image, as ops/cuda/augment.rs writes them.
struct Change {
    float brightness, saturation, contrast;
    int down, right, top, left, rows, columns;
};

struct Picture {
    int height, width, channels;
};

__device__ inline bool is_inside(int y, int x, Picture size) { return y >= 0 && x >= 0 && y < size.height && x < size.width; }

__device__ inline bool is_cut(int y, int x, Change change) {
    return y >= change.top && y < change.top + change.rows && x >= change.left && x < change.left + change.columns;
}

template <typename T>
__device__ void augment(T* to, const T* from, const Change* changes, Picture size, u32 is_back) {
    __shared__ float part[WARP];
    Change change = changes[blockIdx.x];
    int pixels = size.height * size.width, n = pixels * size.channels;
    to += (u64)blockIdx.x * n;
    from += (u64)blockIdx.x * n;
    // On the way back a value is that of the place which its pixel went to.
    int down = is_back ? -change.down : change.down, right = is_back ? -change.right : change.right;
    float added = is_back ? 0.0f : change.brightness, sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        int p = i / size.channels, y = p / size.width, x = p % size.width, source = i;
        if (is_back) {
            y += down;
            x += right;
            if (!is_inside(y, x, size) || is_cut(y, x, change)) continue;
            source = (y * size.width + x) * size.channels + i % size.channels;
        }
        sum += get(from[source]) + added;
    }
    float mean = block_all<false>(sum, part) / n;
    for (int p = threadIdx.x; p < pixels; p += blockDim.x) {
        int y = p / size.width, x = p % size.width, there_y = y + down, there_x = x + right;
        bool shows = is_inside(there_y, there_x, size) && !(is_back ? is_cut(there_y, there_x, change) : is_cut(y, x, change));
        const T* pixel = from + (there_y * size.width + there_x) * size.channels;
        float own = 0.0f;
        for (int c = 0; shows && c < size.channels; c++) own += get(pixel[c]) + added;
        own /= size.channels;
        for (int c = 0; c < size.channels; c++) {
            float v = shows ? get(pixel[c]) + added : 0.0f;
            v = change.contrast * (change.saturation * v + (1.0f - change.saturation) * own) + (1.0f - change.contrast) * mean;
            // Of a pixel that went nowhere the means still pass something on.
            put(to[p * size.channels + c], shows || is_back ? v : 0.0f);
        }
    }
}

#define AUGMENT(T, S) \
    extern "C" __global__ void augment_##S(T* to, const T* from, const Change* changes, Picture size, u32 is_back) { \
        augment<T>(to, from, changes, size, is_back); \
    } \
    REGISTER(augment_##S)
EACH(AUGMENT)
