// The optimizer over the whole row of weights, and what else passes over such rows.
//
//   m = β₁ m + (1 − β₁) c g     v = β₂ v + (1 − β₂) (c g)²     w = (1 − lr · decay) w − rate · m / (√(v · second) + ε)
//
// with c = min(1, clip / ‖g‖), as in nn/adam.rs. ‖g‖² is summed on the device and stays there: no step waits for the host.
// Where it is no number, or was none in an earlier step, nothing is updated: the weights stay those of the last good step.
//
// f16 has no number below 6 · 10⁻⁸ and none above 65504, and gradients are small. So they go back multiplied by a scale,
// which is a power of two and divided out here (Micikevicius et al. 2018). A step whose gradients are no numbers is one
// whose scale was too large: it is left out, and the scale halved; after many good steps it is doubled. Only where a scale of
// 1 is too large has the run diverged.
//
//   rate = lr / (1 − β₁ᵗ)     second = 1 / (1 − β₂ᵗ)
//
// t counts the updates that were made. The host knows how often it has asked for one, and the device how many it has left out.

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

// What is known of a part of the weights; ops/cuda/learning.rs has the same.
struct Known {
    // ‖g‖ of the last update, before clipping.
    double length;
    // The first step that has diverged, from 1 on, and its ‖g‖.
    double diverged, lost;
    // What the gradients of the next step are multiplied by, and the good steps since that was changed.
    double scale, good;
    // What those of this step are multiplied by: 1 / scale, or 0, where nothing is updated.
    double factor;
    // Updates that were left out, because the scale was too large for them.
    double left_out;
    // What the update of this step multiplies by.
    double rate, second;
};

struct Factors {
    float beta1, beta2, epsilon, lr, shrink, clip;
};

constexpr double MOST_SCALE = 1 << 24;
constexpr double GOOD_STEPS = 2000;

// Takes note of ‖g‖ = √Σ shares / scale, and of what the update multiplies by, the `asked`-th that is asked for. One block, a
// thread to a share.
extern "C" __global__ void norm_of_shares(Known* known, const double* shares, u32 step, u32 asked, u32 is_scaled, Factors f) {
    __shared__ double part[512];
    part[threadIdx.x] = shares[threadIdx.x];
    __syncthreads();
    if (threadIdx.x > 0) return;
    double sum = 0.0;
    for (u32 i = 0; i < blockDim.x; i++) sum += part[i];
    double length = sqrt(sum) / known->scale;
    bool is_number = length < INFINITY;
    known->factor = is_number && known->diverged == 0.0 ? 1.0 / known->scale : 0.0;
    double t = fmax(asked - known->left_out, 1.0);
    known->rate = f.lr / (1.0 - pow((double)f.beta1, t));
    known->second = 1.0 / (1.0 - pow((double)f.beta2, t));
    if (is_number) {
        known->length = length;
        known->good += is_scaled;
        if (known->good >= GOOD_STEPS && known->scale < MOST_SCALE) known->scale *= 2.0, known->good = 0.0;
    } else if (is_scaled && known->scale > 1.0) {
        known->scale /= 2.0;
        known->good = 0.0;
        known->left_out += 1.0;
    } else if (known->diverged == 0.0) {
        known->diverged = step, known->lost = length;
    }
}
REGISTER(norm_of_shares)

// The gradients are cleared. shadow (or null): the weights as activations are kept.
template <typename T>
__device__ void adam(float* w, float* g, float* m, float* v, T* shadow, u64 n, const Known* known, Factors f) {
    constexpr float NOTHING = 1e-30f;
    bool is_sound = known->factor > 0.0;
    float clip = f.clip > 0.0f && known->length > f.clip ? f.clip / known->length : 1.0;
    clip *= (float)known->factor;
    float rate = known->rate, unbiased = known->second;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        float grad = g[i] * clip;
        g[i] = 0.0f;
        if (!is_sound) continue;
        float first = f.beta1 * m[i] + (1.0f - f.beta1) * grad, second = f.beta2 * v[i] + (1.0f - f.beta2) * grad * grad;
        first = fabsf(first) < NOTHING ? 0.0f : first;
        second = second < NOTHING ? 0.0f : second;
        m[i] = first;
        v[i] = second;
        w[i] = w[i] * f.shrink - rate * first / (sqrtf(second * unbiased) + f.epsilon);
        if (shadow) put(shadow[i], w[i]);
    }
}

// average = share · average + (1 − share) · w, of numbers: a batch whose moments are none is left out, as its gradients are.
extern "C" __global__ void average(float* average, const float* w, u64 n, float share) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        if (fabsf(w[i]) < INFINITY) average[i] += (1.0f - share) * (w[i] - average[i]);
}
REGISTER(average)

#define ADAM(T, S) \
    extern "C" __global__ void adam_##S(float* w, float* g, float* m, float* v, T* shadow, u64 n, const Known* known, \
                                        Factors f) { \
        adam<T>(w, g, m, v, shadow, n, known, f); \
    } \
    REGISTER(adam_##S)
EACH(ADAM)
