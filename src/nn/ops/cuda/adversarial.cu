// What a critic and a generator learn from: losses of verdicts and their gradients, penalties on slopes, bounds of weights.
//
// As in gan/losses.rs, gan/penalty.rs and gan/step.rs; a block goes over all verdicts of a batch.

#include "values.cuh"

enum Adversarial { MINIMAX, NON_SATURATING, HINGE, LEAST_SQUARES, WASSERSTEIN, RELATIVISTIC };

__device__ inline float softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }

__device__ inline float sigmoid_of(float x) { return 1.0f / (1.0f + expf(-x)); }

// Adds a value of each thread to `sum`, in the order of threads; one block of up to 256.
__device__ inline void add_all(double* sum, float value) {
    __shared__ float values[256];
    __syncthreads();
    values[threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.x == 0) {
        double all = 0.0;
        for (u32 i = 0; i < blockDim.x; i++) all += values[i];
        *sum += all;
    }
}

// real and made become their gradients. seen: sums of loss, D(x), D(G(z)) and right ones, each a mean over the batch.
template <typename T> __device__ void critic_loss(T* real, T* made, double* seen, u32 n, int kind) {
    float loss = 0.0f, said_real = 0.0f, said_made = 0.0f, right = 0.0f, each = 1.0f / n;
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) {
        float r = get(real[i]), f = get(made[i]), dr, df;
        said_real += r * each;
        said_made += f * each;
        float border = kind == LEAST_SQUARES ? 0.5f : 0.0f;
        if (kind == WASSERSTEIN || kind == RELATIVISTIC)
            right += r > f ? each : 0.0f;
        else
            right += ((r > border) + (f < border)) * 0.5f * each;
        if (kind == MINIMAX || kind == NON_SATURATING) {
            loss += (softplus(-r) + softplus(f)) * each, dr = -sigmoid_of(-r), df = sigmoid_of(f);
        } else if (kind == HINGE) {
            loss += (fmaxf(1.0f - r, 0.0f) + fmaxf(1.0f + f, 0.0f)) * each;
            dr = r < 1.0f ? -1.0f : 0.0f, df = f > -1.0f ? 1.0f : 0.0f;
        } else if (kind == LEAST_SQUARES) {
            loss += 0.5f * ((r - 1.0f) * (r - 1.0f) + f * f) * each, dr = r - 1.0f, df = f;
        } else if (kind == WASSERSTEIN) {
            loss += (f - r) * each, dr = -1.0f, df = 1.0f;
        } else {
            loss += softplus(f - r) * each, df = sigmoid_of(f - r), dr = -df;
        }
        put(real[i], dr * each);
        put(made[i], df * each);
    }
    add_all(seen, loss);
    add_all(seen + 1, said_real);
    add_all(seen + 2, said_made);
    add_all(seen + 3, right);
}

// made becomes its gradient; real is looked at by RELATIVISTIC alone.
template <typename T> __device__ void generator_loss(T* made, const T* real, double* seen, u32 n, int kind) {
    float loss = 0.0f, each = 1.0f / n;
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) {
        float f = get(made[i]), df;
        if (kind == MINIMAX) {
            loss -= softplus(f) * each, df = -sigmoid_of(f);
        } else if (kind == NON_SATURATING) {
            loss += softplus(-f) * each, df = -sigmoid_of(-f);
        } else if (kind == LEAST_SQUARES) {
            loss += 0.5f * (f - 1.0f) * (f - 1.0f) * each, df = f - 1.0f;
        } else if (kind == RELATIVISTIC) {
            float r = get(real[i]);
            loss += softplus(r - f) * each, df = -sigmoid_of(r - f);
        } else {
            loss -= f * each, df = -1.0f;
        }
        put(made[i], df * each);
    }
    add_all(seen, loss);
}

// A penalty on the slope g of each group, a block to a group: g becomes φ′(‖g‖) · g / ‖g‖ / groups, values[group] φ(‖g‖) /
// groups. λ (‖g‖ − 1)² if `is_slope`, else λ/2 ‖g‖².
template <typename T> __device__ void penalise(T* g, float* values, u32 size, float weight, u32 is_slope) {
    __shared__ float part[WARP];
    T* own = g + (u64)blockIdx.x * size;
    float square = 0.0f;
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) square += get(own[i]) * get(own[i]);
    float length = sqrtf(block_all<false>(square, part)), off = length - 1.0f, each = 1.0f / gridDim.x;
    float factor = is_slope ? 2.0f * weight * off / fmaxf(length, 1e-12f) : weight;
    __syncthreads();
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) put(own[i], get(own[i]) * factor * each);
    if (threadIdx.x == 0) values[blockIdx.x] = (is_slope ? weight * off * off : weight / 2.0f * length * length) * each;
}

// sum = sum + Σ values; one block.
extern "C" __global__ void sum_values(double* sum, const float* values, u32 n) {
    float own = 0.0f;
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) own += values[i];
    add_all(sum, own);
}
REGISTER(sum_values)

// x = x + share[group] · (real − x)
template <typename T> __device__ void mix(T* x, const T* real, const float* shares, u64 n, u32 group) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        put(x[i], get(x[i]) + shares[row_at(i, group)] * (get(real[i]) - get(x[i])));
}

template <typename T> __device__ void fill(T* to, u64 n, float value) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) put(to[i], value);
}

// shadow (or null): the weights in bf16.
extern "C" __global__ void bound(float* w, bf16* shadow, u64 n, float most) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        w[i] = fminf(fmaxf(w[i], -most), most);
        if (shadow) put(shadow[i], w[i]);
    }
}
REGISTER(bound)

#define ADVERSARIAL(T, S) \
    extern "C" __global__ void critic_loss_##S(T* real, T* made, double* seen, u32 n, int kind) { \
        critic_loss<T>(real, made, seen, n, kind); \
    } \
    REGISTER(critic_loss_##S) \
    extern "C" __global__ void generator_loss_##S(T* made, const T* real, double* seen, u32 n, int kind) { \
        generator_loss<T>(made, real, seen, n, kind); \
    } \
    REGISTER(generator_loss_##S) \
    extern "C" __global__ void penalise_##S(T* g, float* values, u32 size, float weight, u32 is_slope) { \
        penalise<T>(g, values, size, weight, is_slope); \
    } \
    REGISTER(penalise_##S) \
    extern "C" __global__ void mix_##S(T* x, const T* real, const float* shares, u64 n, u32 group) { \
        mix<T>(x, real, shares, n, group); \
    } \
    REGISTER(mix_##S) \
    extern "C" __global__ void fill_##S(T* to, u64 n, float value) { fill<T>(to, n, value); } \
    REGISTER(fill_##S)
EACH(ADVERSARIAL)
