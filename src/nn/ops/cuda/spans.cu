// Rows of numbers and of choices: see ops/spans.rs. A thread has a span of a row, or what is asked of one.
//
//   number   y = tanh x                          dx = dy (1 − y²)
//   choice   y = softmax((x + noise) / τ)        dx = y ∘ (dy − Σ y ∘ dy) / τ
//   asked    − ln softmax(x)[c]                  dx = (softmax(x) − [c]) · weight · scale

#include "values.cuh"

// Where outputs that belong together begin, and among how many they choose; 0 for a number.
struct Outputs {
    u32 at, choices;
};

// Outputs of which one is asked for; none where the width is 0.
struct Asked {
    u32 at, width, choice;
};

// noise: for each value, or null.
template <typename T>
__device__ void choose(T* y, const T* x, const float* noise, const Outputs* spans, u32 count, u32 rows, u32 columns,
                       float temperature) {
    u64 n = (u64)rows * count;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        Outputs span = spans[column_at(i, count)];
        u64 first = (u64)row_at(i, count) * columns + span.at;
        if (span.choices == 0) {
            put(y[first], tanhf(get(x[first])));
            continue;
        }
        float most = -INFINITY, sum = 0.0f;
        for (u64 at = first; at < first + span.choices; at++) most = fmaxf(most, get(x[at]) + (noise ? noise[at] : 0.0f));
        for (u64 at = first; at < first + span.choices; at++)
            sum += expf((get(x[at]) + (noise ? noise[at] : 0.0f) - most) / temperature);
        for (u64 at = first; at < first + span.choices; at++)
            put(y[at], expf((get(x[at]) + (noise ? noise[at] : 0.0f) - most) / temperature) / sum);
    }
}

// dx in place of dy.
template <typename T>
__device__ void choose_back(T* dy, const T* y, const Outputs* spans, u32 count, u32 rows, u32 columns, float temperature) {
    u64 n = (u64)rows * count;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        Outputs span = spans[column_at(i, count)];
        u64 first = (u64)row_at(i, count) * columns + span.at;
        if (span.choices == 0) {
            put(dy[first], get(dy[first]) * (1.0f - get(y[first]) * get(y[first])));
            continue;
        }
        float mean = 0.0f;
        for (u64 at = first; at < first + span.choices; at++) mean += get(dy[at]) * get(y[at]);
        for (u64 at = first; at < first + span.choices; at++)
            put(dy[at], get(y[at]) * (get(dy[at]) - mean) / temperature);
    }
}

// dx, which is 0 elsewhere, and the loss of each row.
template <typename T>
__device__ void ask(T* dx, float* losses, const T* x, const Asked* asked, const double* scale, u32 rows, u32 columns,
                    float weight) {
    float step = scale_of(scale) * weight;
    for (u32 row = blockIdx.x * blockDim.x + threadIdx.x; row < rows; row += gridDim.x * blockDim.x) {
        Asked of = asked[row];
        u64 first = (u64)row * columns + of.at;
        float most = -INFINITY, sum = 0.0f;
        for (u32 i = 0; i < of.width; i++) most = fmaxf(most, get(x[first + i]));
        for (u32 i = 0; i < of.width; i++) sum += expf(get(x[first + i]) - most);
        for (u32 i = 0; i < of.width; i++) {
            float p = expf(get(x[first + i]) - most) / sum;
            put(dx[first + i], step * (p - (i == of.choice ? 1.0f : 0.0f)));
        }
        losses[row] = of.width ? weight * (most + logf(sum) - get(x[first + of.choice])) : 0.0f;
    }
}

#define SPANS(T, S) \
    extern "C" __global__ void choose_##S(T* y, const T* x, const float* noise, const Outputs* spans, u32 count, u32 rows, \
                                          u32 columns, float temperature) { \
        choose<T>(y, x, noise, spans, count, rows, columns, temperature); \
    } \
    REGISTER(choose_##S) \
    extern "C" __global__ void choose_back_##S(T* dy, const T* y, const Outputs* spans, u32 count, u32 rows, u32 columns, \
                                               float temperature) { \
        choose_back<T>(dy, y, spans, count, rows, columns, temperature); \
    } \
    REGISTER(choose_back_##S) \
    extern "C" __global__ void ask_##S(T* dx, float* losses, const T* x, const Asked* asked, const double* scale, \
                                       u32 rows, u32 columns, float weight) { \
        ask<T>(dx, losses, x, asked, scale, rows, columns, weight); \
    } \
    REGISTER(ask_##S)
EACH(SPANS)
