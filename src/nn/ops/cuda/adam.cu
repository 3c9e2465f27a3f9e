// The optimizer over the whole row of weights, and what else passes over such rows.
//
//   m = β₁ m + (1 − β₁) c g     v = β₂ v + (1 − β₂) (c g)²     w = (1 − lr · decay) w − rate · m / (√(v · second) + ε)
//
// with c = min(1, clip / ‖g‖), as in nn/adam.rs. ‖g‖² is summed on the device and stays there: no step waits for the host.
// Where it is no number, or was none in an earlier step, nothing is updated: the weights stay those of the last good step.

#include "values.cuh"

// Σ x² of a share of the values for each block, in f64.
extern "C" __global__ void square_shares(double* shares, const float* x, u64 n) {
    __shared__ double part[256];
    double sum = 0.0;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        sum += (double)x[i] * x[i];
    part[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (u32 i = 1; i < blockDim.x; i++) sum += part[i];
    shares[blockIdx.x] = sum;
}
REGISTER(square_shares)

// norm[0] = √Σ shares; the first time that this is no number, norm[1] is the number of the step and norm[2] what it is.
// One block, a thread to a share.
extern "C" __global__ void norm_of_shares(double* norm, const double* shares, u32 step) {
    __shared__ double part[512];
    part[threadIdx.x] = shares[threadIdx.x];
    __syncthreads();
    if (threadIdx.x > 0) return;
    double sum = 0.0;
    for (u32 i = 0; i < blockDim.x; i++) sum += part[i];
    norm[0] = sqrt(sum);
    if (norm[1] == 0.0 && !(norm[0] < INFINITY)) norm[1] = step, norm[2] = norm[0];
}
REGISTER(norm_of_shares)

struct Factors {
    float beta1, beta2, epsilon, rate, second, shrink, clip;
};

// The gradients are cleared. shadow (or null): the weights in bf16.
extern "C" __global__ void adam(float* w, float* g, float* m, float* v, bf16* shadow, u64 n, const double* norm, Factors f) {
    constexpr float NOTHING = 1e-30f;
    bool is_sound = norm[1] == 0.0;
    float clip = f.clip > 0.0f && norm[0] > f.clip ? f.clip / norm[0] : 1.0;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        float grad = g[i] * clip;
        g[i] = 0.0f;
        if (!is_sound) continue;
        float first = f.beta1 * m[i] + (1.0f - f.beta1) * grad, second = f.beta2 * v[i] + (1.0f - f.beta2) * grad * grad;
        first = fabsf(first) < NOTHING ? 0.0f : first;
        second = second < NOTHING ? 0.0f : second;
        m[i] = first;
        v[i] = second;
        w[i] = w[i] * f.shrink - f.rate * first / (sqrtf(second * f.second) + f.epsilon);
        if (shadow) put(shadow[i], w[i]);
    }
}
REGISTER(adam)

// average = share · average + (1 − share) · w
extern "C" __global__ void average(float* average, const float* w, u64 n, float share) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        average[i] += (1.0f - share) * (w[i] - average[i]);
}
REGISTER(average)
