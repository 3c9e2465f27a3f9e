// What a critic and a generator learn from: losses of verdicts and their gradients, penalties on slopes, bounds of weights.
//
// As in gan/losses.rs, gan/penalty.rs and gan/step.rs; a block goes over all verdicts of this rank. Means are over `all` of the
// batch, of which ranks have parts. Gradients of verdicts are multiplied by the scale, if there is one.

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
template <typename T>
__device__ void critic_loss(T* real, T* made, double* seen, u32 n, u32 all, int kind, const double* scale) {
    float step = scale_of(scale) / all;
    float loss = 0.0f, said_real = 0.0f, said_made = 0.0f, right = 0.0f, each = 1.0f / all;
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
        put(real[i], dr * step);
        put(made[i], df * step);
    }
    add_all(seen, loss);
    add_all(seen + 1, said_real);
    add_all(seen + 2, said_made);
    add_all(seen + 3, right);
}

// made becomes its gradient; real is looked at by RELATIVISTIC alone.
template <typename T>
__device__ void generator_loss(T* made, const T* real, double* seen, u32 n, u32 all, int kind, const double* scale) {
    float loss = 0.0f, each = 1.0f / all, step = scale_of(scale) / all;
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
        put(made[i], df * step);
    }
    add_all(seen, loss);
}

// A scale of gradients as the product of two. A penalty goes back from the verdicts twice: to the slopes, and to the weights,
// whose gradients are products of that way and of the slopes'. Both ways back are the same and have `back`, slopes that are
// passed on have `along`, so that the weights' gradients have the scale, and neither factor the whole of it.
struct Halves {
    float along, back;
};

__device__ inline Halves halves_of(const double* scale) {
    // The scale is a power of two.
    int power = ilogbf(scale_of(scale));
    return {ldexpf(1.0f, power - power / 2), ldexpf(1.0f, power / 2)};
}

// A penalty on the slope g of each group, a block to a group: g becomes φ′(‖g‖) · g / ‖g‖ / groups, values[group] φ(‖g‖) /
// groups. λ (‖g‖ − 1)² if `is_slope`, else λ/2 ‖g‖².
template <typename T>
__device__ void penalise(T* g, float* values, u32 size, float weight, u32 is_slope, const double* scale) {
    __shared__ float part[WARP];
    T* own = g + (u64)blockIdx.x * size;
    Halves halves = halves_of(scale);
    float square = 0.0f, share = 1.0f / halves.back;
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) square += get(own[i]) * share * (get(own[i]) * share);
    float length = sqrtf(block_all<false>(square, part)), off = length - 1.0f, each = 1.0f / gridDim.x;
    float factor = is_slope ? 2.0f * weight * off / fmaxf(length, 1e-12f) : weight;
    share *= halves.along;
    __syncthreads();
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) put(own[i], get(own[i]) * share * factor * each);
    if (threadIdx.x > 0) return;
    float value = (is_slope ? weight * off * off : weight / 2.0f * length * length) * each;
    // Where the scale was too large this step is left out.
    values[blockIdx.x] = halves.along > 1.0f && !(value < INFINITY) ? 0.0f : value;
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

// Where the way back of a penalty begins: the gradients of the sum of all verdicts.
template <typename T> __device__ void ones(T* to, u64 n, const double* scale) {
    float one = halves_of(scale).back;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) put(to[i], one);
}

// shadow (or null): the weights as activations are kept.
template <typename T> __device__ void bound(float* w, T* shadow, u64 n, float most) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        w[i] = fminf(fmaxf(w[i], -most), most);
        if (shadow) put(shadow[i], w[i]);
    }
}

#define ADVERSARIAL(T, S) \
    extern "C" __global__ void critic_loss_##S(T* real, T* made, double* seen, u32 n, u32 all, int kind, \
                                               const double* scale) { \
        critic_loss<T>(real, made, seen, n, all, kind, scale); \
    } \
    REGISTER(critic_loss_##S) \
    extern "C" __global__ void generator_loss_##S(T* made, const T* real, double* seen, u32 n, u32 all, int kind, \
                                                  const double* scale) { \
        generator_loss<T>(made, real, seen, n, all, kind, scale); \
    } \
    REGISTER(generator_loss_##S) \
    extern "C" __global__ void penalise_##S(T* g, float* values, u32 size, float weight, u32 is_slope, \
                                            const double* scale) { \
        penalise<T>(g, values, size, weight, is_slope, scale); \
    } \
    REGISTER(penalise_##S) \
    extern "C" __global__ void mix_##S(T* x, const T* real, const float* shares, u64 n, u32 group) { \
        mix<T>(x, real, shares, n, group); \
    } \
    REGISTER(mix_##S) \
    extern "C" __global__ void ones_##S(T* to, u64 n, const double* scale) { ones<T>(to, n, scale); } \
    REGISTER(ones_##S) \
    extern "C" __global__ void bound_##S(float* w, T* shadow, u64 n, float most) { bound<T>(w, shadow, n, most); } \
    REGISTER(bound_##S)
EACH(ADVERSARIAL)
