// Instance normalisation: channels of each image centred and scaled, then an activation.
//
//   y = f(γ ∘ (x − μ) / σ + β)        dx = γ / σ · (dz − s / n − x̂ · p / n)        s = Σ dz, p = Σ dz ∘ x̂ over an image
//
// As in ops/instance_norm.rs. A block has 32 channels of an image: 32 × 8 threads, grid (channels / 32, images).

#include "values.cuh"

constexpr u32 LINES = 8;

// The sum over the block of each channel's values, for every thread of it.
__device__ inline float channel_sum(float v, float (*part)[WARP]) {
    u32 lane = threadIdx.x % WARP;
    __syncthreads();
    part[threadIdx.x / WARP][lane] = v;
    __syncthreads();
    float sum = 0.0f;
    for (u32 line = 0; line < LINES; line++) sum += part[line][lane];
    return sum;
}

// moments: μ of the channels of each image, then 1 / σ.
template <typename T>
__device__ void instance_norm(T* y, float* moments, const T* x, const float* scale, const float* shift, u32 pixels,
                              u32 channels, float added, int activation) {
    __shared__ float part[LINES][WARP];
    u32 line = threadIdx.x / WARP, c = blockIdx.x * WARP + threadIdx.x % WARP;
    bool is_one = c < channels;
    u64 first = (u64)blockIdx.y * pixels * channels + c;
    float sum = 0.0f, square = 0.0f;
    for (u32 p = line; is_one && p < pixels; p += LINES) sum += get(x[first + (u64)p * channels]);
    float mean = channel_sum(sum, part) / pixels;
    for (u32 p = line; is_one && p < pixels; p += LINES) {
        float off = get(x[first + (u64)p * channels]) - mean;
        square += off * off;
    }
    float inverse = 1.0f / sqrtf(channel_sum(square, part) / pixels + added);
    if (!is_one) return;
    float a = scale[c] * inverse, b = shift[c];
    for (u32 p = line; p < pixels; p += LINES) {
        u64 at = first + (u64)p * channels;
        put(y[at], activated(a * (get(x[at]) - mean) + b, activation));
    }
    if (line == 0) {
        moments[(u64)blockIdx.y * 2 * channels + c] = mean;
        moments[((u64)blockIdx.y * 2 + 1) * channels + c] = inverse;
    }
}

// dx in place of dz; parts: Σ dz ∘ x̂ of the channels of each image, then Σ dz.
template <typename T>
__device__ void instance_norm_back(T* dz, float* parts, const T* x, const float* moments, const float* scale, u32 pixels,
                                   u32 channels) {
    __shared__ float part[LINES][WARP];
    u32 line = threadIdx.x / WARP, c = blockIdx.x * WARP + threadIdx.x % WARP;
    bool is_one = c < channels;
    u64 first = (u64)blockIdx.y * pixels * channels + c, own = (u64)blockIdx.y * 2 * channels + c;
    float mean = is_one ? moments[own] : 0.0f, inverse = is_one ? moments[own + channels] : 0.0f;
    float sum = 0.0f, product = 0.0f;
    for (u32 p = line; is_one && p < pixels; p += LINES) {
        u64 at = first + (u64)p * channels;
        float d = get(dz[at]);
        sum += d;
        product += d * (get(x[at]) - mean) * inverse;
    }
    sum = channel_sum(sum, part);
    product = channel_sum(product, part);
    if (!is_one) return;
    float a = scale[c] * inverse;
    for (u32 p = line; p < pixels; p += LINES) {
        u64 at = first + (u64)p * channels;
        float hat = (get(x[at]) - mean) * inverse;
        put(dz[at], a * (get(dz[at]) - (sum + hat * product) / pixels));
    }
    if (line == 0) {
        parts[own] = product;
        parts[own + channels] = sum;
    }
}

#define INSTANCE_NORM(T, S) \
    extern "C" __global__ void instance_norm_##S(T* y, float* moments, const T* x, const float* scale, \
                                                 const float* shift, u32 pixels, u32 channels, float added, \
                                                 int activation) { \
        instance_norm<T>(y, moments, x, scale, shift, pixels, channels, added, activation); \
    } \
    REGISTER(instance_norm_##S) \
    extern "C" __global__ void instance_norm_back_##S(T* dz, float* parts, const T* x, const float* moments, \
                                                      const float* scale, u32 pixels, u32 channels) { \
        instance_norm_back<T>(dz, parts, x, moments, scale, pixels, channels); \
    } \
    REGISTER(instance_norm_back_##S)
EACH(INSTANCE_NORM)
