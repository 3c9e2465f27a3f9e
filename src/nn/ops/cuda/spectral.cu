// Matrices divided by their largest singular values, and the way back of their gradients.
//
//   v ← Wᵀu / ‖Wᵀu‖     s = W v     u ← s / ‖s‖     σ = uᵀ s     W̄ = W / σ
//   dW = (dW̄ − ⟨dW̄, W⟩ / σ · u vᵀ) / σ
//
// As in gan/spectral.rs; all in f32. Wᵀu and W v are matrix products.

#include "values.cuh"

constexpr float LEAST_LENGTH = 1e-12f;

// Makes a vector one of length 1; one block.
extern "C" __global__ void unit_vector(float* values, u32 n) {
    __shared__ float part[WARP];
    float square = 0.0f;
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) square += values[i] * values[i];
    float length = fmaxf(sqrtf(block_all<false>(square, part)), LEAST_LENGTH);
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) values[i] /= length;
}
REGISTER(unit_vector)

// σ of s = W v; u becomes the direction of s if it turns. One block.
extern "C" __global__ void singular_value(float* sigma, float* u, const float* s, u32 n, u32 turns) {
    __shared__ float part[WARP];
    float sum = 0.0f;
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) sum += (turns ? s[i] : u[i]) * s[i];
    sum = block_all<false>(sum, part);
    float found = fmaxf(turns ? sqrtf(sum) : sum, LEAST_LENGTH);
    for (u32 i = threadIdx.x; turns && i < n; i += blockDim.x) u[i] = s[i] / found;
    if (threadIdx.x == 0) *sigma = found;
}
REGISTER(singular_value)

// W = W / σ; shadow (or null): the weights as activations are kept.
template <typename T> __device__ void divide_matrix(float* w, T* shadow, const float* sigma, u64 n) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        w[i] /= *sigma;
        if (shadow) put(shadow[i], w[i]);
    }
}

// Shares of Σ a ∘ b, one of each block.
extern "C" __global__ void product_shares(float* shares, const float* a, const float* b, u64 n) {
    __shared__ float part[WARP];
    float sum = 0.0f;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) sum += a[i] * b[i];
    sum = block_all<false>(sum, part);
    if (threadIdx.x == 0) shares[blockIdx.x] = sum;
}
REGISTER(product_shares)

// dW of dW̄, in its place; shares: of ⟨dW̄, W⟩.
extern "C" __global__ void undivide_gradient(float* g, const float* u, const float* v, const float* sigma,
                                             const float* shares, u32 count, u32 rows, u32 columns) {
    float along = 0.0f;
    for (u32 i = 0; i < count; i++) along += shares[i];
    along /= *sigma;
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        g[i] = (g[i] - along * u[row_at(i, columns)] * v[column_at(i, columns)]) / *sigma;
}
REGISTER(undivide_gradient)

#define SPECTRAL(T, S) \
    extern "C" __global__ void divide_matrix_##S(float* w, T* shadow, const float* sigma, u64 n) { \
        divide_matrix<T>(w, shadow, sigma, n); \
    } \
    REGISTER(divide_matrix_##S)
EACH(SPECTRAL)
