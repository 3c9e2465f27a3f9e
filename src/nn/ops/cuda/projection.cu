// Label-smoothed cross entropy of logits, which become their own gradient in place.
//
//   p = softmax(l)     loss = lse(l) − (1 − ε) · l[target] − ε · mean(l)     dl = (p − (1 − ε) · [v = target] − ε / V) · w
//
// As in ops/projection.rs; a block to a token. dl is multiplied by the scale of gradients, if there is one.

#include "values.cuh"

// Gives every value of a row to f, with its place: eight to a thread where the row begins even, and what is left.
template <typename T, typename F> __device__ inline void each_value(const T* row, u32 n, F f) {
    u32 packs = (u64)row % sizeof(Pack<T, 8>) == 0 ? n / 8 : 0;
    for (u32 p = threadIdx.x; p < packs; p += blockDim.x) {
        Pack<T, 8> pack = pack_at<8>(row + 8 * p);
        UNROLL for (u32 e = 0; e < 8; e++) f(get(pack.values[e]), 8 * p + e);
    }
    for (u32 i = 8 * packs + threadIdx.x; i < n; i += blockDim.x) f(get(row[i]), i);
}

// The same, and puts what f makes of them in their place.
template <typename T, typename F> __device__ inline void change_values(T* row, u32 n, F f) {
    u32 packs = (u64)row % sizeof(Pack<T, 8>) == 0 ? n / 8 : 0;
    for (u32 p = threadIdx.x; p < packs; p += blockDim.x) {
        Pack<T, 8> pack = pack_at<8>(row + 8 * p);
        UNROLL for (u32 e = 0; e < 8; e++) put(pack.values[e], f(get(pack.values[e]), 8 * p + e));
        pack_at<8>(row + 8 * p) = pack;
    }
    for (u32 i = 8 * packs + threadIdx.x; i < n; i += blockDim.x) put(row[i], f(get(row[i]), i));
}

// Rows of logits are `stride` apart, which products like even. losses: the smoothed loss and − ln p(target) of each token.
template <typename T>
__device__ void softmax_and_loss(T* logits, float* losses, const u32* targets, u32 words, u32 stride, float smoothing, float weight,
                                 const double* scaled) {
    __shared__ float part[WARP];
    T* row = logits + (u64)blockIdx.x * stride;
    u32 target = targets[blockIdx.x];
    float most = -INFINITY, total = 0.0f;
    each_value(row, words, [&](float l, u32) {
        most = fmaxf(most, l);
        total += l;
    });
    most = block_all<true>(most, part);
    float mean = block_all<false>(total, part) / words - most;
    float right = get(row[target]) - most, sum = 0.0f;
    each_value(row, words, [&](float l, u32) { sum += expf(l - most); });
    sum = block_all<false>(sum, part);
    weight *= scale_of(scaled);
    float scale = weight / sum, low = weight * smoothing / words;
    // Nobody writes before all have read the target's logit.
    __syncthreads();
    change_values(row, words, [&](float l, u32 i) {
        float dl = expf(l - most) * scale - low;
        return i == target ? dl - weight * (1.0f - smoothing) : dl;
    });
    if (threadIdx.x == 0) {
        float lse = logf(sum);
        losses[2 * blockIdx.x] = lse - ((1.0f - smoothing) * right + smoothing * mean);
        losses[2 * blockIdx.x + 1] = lse - right;
    }
}

// total = total + Σ losses, both columns; one block.
extern "C" __global__ void sum_losses(double* total, const float* losses, u32 tokens) {
    __shared__ double part[256];
    for (int column = 0; column < 2; column++) {
        double sum = 0.0;
        for (u32 i = threadIdx.x; i < tokens; i += blockDim.x) sum += losses[2 * i + column];
        __syncthreads();
        part[threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.x == 0) {
            for (u32 i = 1; i < blockDim.x; i++) sum += part[i];
            total[column] += sum;
        }
    }
}
REGISTER(sum_losses)

// The word with the highest logit of each row, the first of several; a block to a row.
template <typename T> __device__ void best(u32* found, const T* logits, u32 words, u32 stride) {
    __shared__ float most[256];
    __shared__ u32 place[256];
    const T* row = logits + (u64)blockIdx.x * stride;
    u32 own = threadIdx.x;
    most[own] = -INFINITY;
    place[own] = words;
    for (u32 i = own; i < words; i += blockDim.x)
        if (get(row[i]) > most[own]) most[own] = get(row[i]), place[own] = i;
    __syncthreads();
    for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
        u32 other = own + half;
        if (own < half && (most[other] > most[own] || (most[other] == most[own] && place[other] < place[own])))
            most[own] = most[other], place[own] = place[other];
        __syncthreads();
    }
    if (own == 0) found[blockIdx.x] = place[0] < words ? place[0] : 0;
}

// The k best words of each row, the best first and of equal ones the lower first, then the largest of all scores, the sum
// of e to what they are above it, and the score of a word that is asked for: 2 · k + 3 values, words as their bits. A block
// to a row; each thread has the best of its own words ready.
extern "C" __global__ void best_words(float* found, const float* logits, const u32* asked, u32 words, u32 stride, u32 k) {
    __shared__ float value[256], part[WARP];
    __shared__ u32 place[256];
    const float* row = logits + (u64)blockIdx.x * stride;
    float* to = found + (u64)blockIdx.x * (2 * k + 3);
    u32 own = threadIdx.x;
    float most = -INFINITY, sum = 0.0f;
    for (u32 i = own; i < words; i += blockDim.x) most = fmaxf(most, row[i]);
    most = block_all<true>(most, part);
    for (u32 i = own; i < words; i += blockDim.x) sum += expf(row[i] - most);
    sum = block_all<false>(sum, part);
    float best = INFINITY;
    u32 word = 0;
    bool is_taken = true;
    for (u32 r = 0; r < k; r++) {
        if (is_taken) {
            // The best of its own that comes after the one that was taken.
            float next = -INFINITY;
            u32 at = words;
            for (u32 i = own; i < words; i += blockDim.x)
                if (row[i] > next && (row[i] < best || (row[i] == best && i > word))) next = row[i], at = i;
            best = next;
            word = at;
        }
        __syncthreads();
        value[own] = best;
        place[own] = word;
        __syncthreads();
        for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
            u32 other = own + half;
            if (own < half && (value[other] > value[own] || (value[other] == value[own] && place[other] < place[own])))
                value[own] = value[other], place[own] = place[other];
            __syncthreads();
        }
        is_taken = place[0] == word && word < words;
        if (own == 0) {
            to[r] = value[0];
            ((u32*)to)[k + r] = place[0];
        }
    }
    if (own == 0) {
        to[2 * k] = most;
        to[2 * k + 1] = sum;
        to[2 * k + 2] = asked[blockIdx.x] < words ? row[asked[blockIdx.x]] : 0.0f;
    }
}
REGISTER(best_words)

#define PROJECTION(T, S) \
    extern "C" __global__ void best_##S(u32* found, const T* logits, u32 words, u32 stride) { \
        best<T>(found, logits, words, stride); \
    } \
    REGISTER(best_##S) \
    extern "C" __global__ void softmax_and_loss_##S(T* logits, float* losses, const u32* targets, u32 words, \
                                                    u32 stride, float smoothing, float weight, const double* scaled) { \
        softmax_and_loss<T>(logits, losses, targets, words, stride, smoothing, weight, scaled); \
    } \
    REGISTER(softmax_and_loss_##S)
EACH(PROJECTION)
