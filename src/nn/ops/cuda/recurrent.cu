// A step of a recurrent layer for all sentences that have one, and the way back.
//
//   LSTM   i, f, o = σ(x + u)     g = tanh(x + u)     c = f ∘ c′ + i ∘ g     h = o ∘ tanh c
//   GRU    r, z = σ(x + u)        n = tanh(x + r ∘ u)                        h = (1 − z) ∘ n + z ∘ h′
//
// As in ops/cell.rs and ops/recurrent.rs. Sentences stand by their length, the longest first, so that those with a step t
// are the first n. What goes from step to step lies in their order (h, c, u and their gradients, f32); what is kept lies
// in the order of the tokens.

#include "values.cuh"

// A sentence: its number, its first token, and how many it has.
struct Sentence {
    u32 number, start, length;
};

// A step, and where its rows lie: by sentence and token, or, where rows stand step by step, from `row` on, those of the
// step before from `before` on.
struct Place {
    u32 t, is_backward, row, before;
};

constexpr u32 NONE = 0xffffffffu;

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// The row of the step of the r-th sentence, and that of the step before.
__device__ inline u64 row_of(Sentence s, u32 r, Place p) {
    return p.row != NONE ? p.row + r : s.start + (p.is_backward ? s.length - 1 - p.t : p.t);
}

__device__ inline u64 row_before(Sentence s, u32 r, Place p) {
    return p.row != NONE ? p.before + r : s.start + (p.is_backward ? s.length - p.t : p.t - 1);
}

// The states before the first step, and as they are multiplied: with units dropped. Without `first` they are 0.
template <typename T>
__device__ void begin(float* h, T* kept, float* memory, const T* first, const Sentence* sentences, u32 n, u32 d, Mask mask) {
    u64 count = (u64)n * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (u64)gridDim.x * blockDim.x) {
        u32 r = row_at(i, d), j = column_at(i, d), number = sentences[r].number;
        h[i] = first ? get(first[(u64)number * d + j]) : 0.0f;
        memory[i] = 0.0f;
        put(kept[i], masked(mask, number, j, d, h[i]));
    }
}

// A unit: what x and u say becomes its gates, c′ and h′ become c and h.
template <bool IS_GRU> __device__ inline void unit(float* x, const float* u, float& c, float& h) {
    if constexpr (IS_GRU) {
        float reset = sigmoid(x[0] + u[0]), z = sigmoid(x[1] + u[1]), candidate = tanhf(x[2] + reset * u[2]);
        h = (1.0f - z) * candidate + z * h;
        x[0] = reset;
        x[1] = z;
        x[2] = candidate;
    } else {
        float in = sigmoid(x[0] + u[0]), forget = sigmoid(x[1] + u[1]), g = tanhf(x[2] + u[2]), out = sigmoid(x[3] + u[3]);
        c = forget * c + in * g;
        h = out * tanhf(c);
        x[0] = in;
        x[1] = forget;
        x[2] = g;
        x[3] = out;
    }
}

// gates: x, becomes the gates; u: U·h′ or null; saved: c of each token, or what u says for n.
template <bool IS_GRU, typename T>
__device__ void cell_step(T* gates, T* states, float* saved, float* h, T* kept, float* memory, const float* u,
                          const float* bias, const Sentence* sentences, u32 n, u32 d, Place p, Mask mask) {
    constexpr int GATES = IS_GRU ? 3 : 4;
    u64 count = (u64)n * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (u64)gridDim.x * blockDim.x) {
        u32 r = row_at(i, d), j = column_at(i, d);
        u64 at = row_of(sentences[r], r, p);
        T* x = gates + at * GATES * d;
        float own[GATES], from[GATES];
        for (int g = 0; g < GATES; g++) {
            from[g] = (u ? u[(u64)r * GATES * d + g * d + j] : 0.0f) + bias[g * d + j];
            own[g] = get(x[g * d + j]);
        }
        unit<IS_GRU>(own, from, memory[i], h[i]);
        for (int g = 0; g < GATES; g++) put(x[g * d + j], own[g]);
        saved[at * d + j] = IS_GRU ? from[2] : memory[i];
        put(states[at * d + j], h[i]);
        put(kept[i], masked(mask, sentences[r].number, j, d, h[i]));
    }
}

// A step of rows whose states are kept: those of the row from[r] become those of the row to[r], and `state` (n, d). x: W·x,
// u: U·h′, both (n, gates · d) and without their biases.
template <bool IS_GRU, typename T>
__device__ void advance(T* state, float* h, float* memory, const float* x, const float* u, const float* x_bias,
                        const float* u_bias, const u32* from, const u32* to, u32 n, u32 d) {
    constexpr int GATES = IS_GRU ? 3 : 4;
    u64 count = (u64)n * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (u64)gridDim.x * blockDim.x) {
        u32 r = row_at(i, d), j = column_at(i, d);
        u64 old = (u64)from[r] * d + j, now = (u64)to[r] * d + j, first = (u64)r * GATES * d + j;
        float own[GATES], last[GATES], c = memory[old], s = h[old];
        for (int g = 0; g < GATES; g++) {
            own[g] = x[first + g * d] + x_bias[g * d + j];
            last[g] = u[first + g * d] + u_bias[g * d + j];
        }
        unit<IS_GRU>(own, last, c, s);
        memory[now] = c;
        h[now] = s;
        put(state[i], s);
    }
}

// The first states of rows that are kept: h those of `first`, c zeros.
template <typename T> __device__ void keep_first(float* h, float* memory, const T* first, const u32* places, u32 rows, u32 d) {
    u64 n = (u64)rows * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u64 to = (u64)places[row_at(i, d)] * d + column_at(i, d);
        h[to] = get(first[i]);
        memory[to] = 0.0f;
    }
}

// gates become the gradients of x; du: those of u; d_new: of u for n (GRU). dh becomes what does not go through u.
template <bool IS_GRU, typename T>
__device__ void cell_step_back(T* gates, T* du, T* d_new, float* dh, float* dc, const T* d_states, const T* states,
                               const float* saved, const T* first, const Sentence* sentences, u32 n, u32 d, Place p) {
    constexpr int GATES = IS_GRU ? 3 : 4;
    u64 count = (u64)n * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (u64)gridDim.x * blockDim.x) {
        u32 r = row_at(i, d), j = column_at(i, d);
        u64 at = row_of(sentences[r], r, p), before = p.t > 0 ? row_before(sentences[r], r, p) : 0;
        T *x = gates + at * GATES * d, *u = du + (u64)r * GATES * d;
        float slope = dh[i] + get(d_states[at * d + j]);
        if (IS_GRU) {
            float reset = get(x[j]), z = get(x[d + j]), candidate = get(x[2 * d + j]);
            float last = p.t > 0 ? get(states[before * d + j]) : first ? get(first[(u64)sentences[r].number * d + j]) : 0.0f;
            float inner = slope * (1.0f - z) * (1.0f - candidate * candidate);
            float d_reset = inner * saved[at * d + j] * reset * (1.0f - reset);
            float d_z = slope * (last - candidate) * z * (1.0f - z);
            put(x[j], d_reset);
            put(x[d + j], d_z);
            put(x[2 * d + j], inner);
            put(u[j], d_reset);
            put(u[d + j], d_z);
            put(u[2 * d + j], inner * reset);
            put(d_new[at * d + j], inner * reset);
            dh[i] = slope * z;
        } else {
            float in = get(x[j]), forget = get(x[d + j]), g = get(x[2 * d + j]), out = get(x[(GATES - 1) * d + j]);
            float last = p.t > 0 ? saved[before * d + j] : 0.0f, c = tanhf(saved[at * d + j]);
            float through = dc[i] + slope * out * (1.0f - c * c);
            float found[4] = {through * g * in * (1.0f - in), through * last * forget * (1.0f - forget),
                              through * in * (1.0f - g * g), slope * c * out * (1.0f - out)};
            dc[i] = through * forget;
            dh[i] = 0.0f;
            for (int k = 0; k < 4; k++) {
                put(x[k * d + j], found[k]);
                put(u[k * d + j], found[k]);
            }
        }
    }
}

// dh = dh + mask ∘ through
extern "C" __global__ void add_kept(float* dh, const float* through, const Sentence* sentences, u32 n, u32 d, Mask mask) {
    u64 count = (u64)n * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (u64)gridDim.x * blockDim.x)
        dh[i] += masked(mask, sentences[row_at(i, d)].number, column_at(i, d), d, through[i]);
}
REGISTER(add_kept)

// dh in the order of the sentences' numbers.
template <typename T> __device__ void by_number(T* to, const float* dh, const Sentence* sentences, u32 n, u32 d) {
    u64 count = (u64)n * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (u64)gridDim.x * blockDim.x)
        put(to[(u64)sentences[row_at(i, d)].number * d + column_at(i, d)], dh[i]);
}

// Rows of the step before each row: before[i] is the row, or NONE, where it is that of the sentence in `first`, or 0.
template <typename T>
__device__ void rows_before(T* to, const T* from, const T* first, const u32* before, const u32* sentence, u32 rows, u32 d,
                            Mask mask) {
    u64 n = (u64)rows * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 row = row_at(i, d), j = column_at(i, d), number = sentence[row];
        float v = before[row] != NONE ? get(from[(u64)before[row] * d + j])
                  : first             ? get(first[(u64)number * d + j])
                                      : 0.0f;
        put(to[i], masked(mask, number, j, d, v));
    }
}

// to = mask ∘ from, the i-th row by the mask of row numbers[i].
template <typename T>
__device__ void drop_rows(T* to, const T* from, const u32* numbers, u32 rows, u32 d, Mask mask) {
    u64 n = (u64)rows * d;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x)
        put(to[i], masked(mask, numbers[row_at(i, d)], column_at(i, d), d, get(from[i])));
}

#define CELL(T, S, NAME, IS_GRU) \
    extern "C" __global__ void NAME##_step_##S(T* gates, T* states, float* saved, float* h, T* kept, float* memory, \
                                               const float* u, const float* bias, const Sentence* sentences, u32 n, u32 d, \
                                               Place p, Mask mask) { \
        cell_step<IS_GRU, T>(gates, states, saved, h, kept, memory, u, bias, sentences, n, d, p, mask); \
    } \
    REGISTER(NAME##_step_##S) \
    extern "C" __global__ void NAME##_advance_##S(T* state, float* h, float* memory, const float* x, const float* u, \
                                                  const float* x_bias, const float* u_bias, const u32* from, \
                                                  const u32* to, u32 n, u32 d) { \
        advance<IS_GRU, T>(state, h, memory, x, u, x_bias, u_bias, from, to, n, d); \
    } \
    REGISTER(NAME##_advance_##S) \
    extern "C" __global__ void NAME##_step_back_##S(T* gates, T* du, T* d_new, float* dh, float* dc, const T* d_states, \
                                                    const T* states, const float* saved, const T* first, \
                                                    const Sentence* sentences, u32 n, u32 d, Place p) { \
        cell_step_back<IS_GRU, T>(gates, du, d_new, dh, dc, d_states, states, saved, first, sentences, n, d, p); \
    } \
    REGISTER(NAME##_step_back_##S)
#define RECURRENT(T, S) \
    CELL(T, S, lstm, false) \
    CELL(T, S, gru, true) \
    extern "C" __global__ void begin_##S(float* h, T* kept, float* memory, const T* first, const Sentence* sentences, \
                                         u32 n, u32 d, Mask mask) { \
        begin<T>(h, kept, memory, first, sentences, n, d, mask); \
    } \
    REGISTER(begin_##S) \
    extern "C" __global__ void keep_first_##S(float* h, float* memory, const T* first, const u32* places, u32 rows, u32 d) { \
        keep_first<T>(h, memory, first, places, rows, d); \
    } \
    REGISTER(keep_first_##S) \
    extern "C" __global__ void by_number_##S(T* to, const float* dh, const Sentence* sentences, u32 n, u32 d) { \
        by_number<T>(to, dh, sentences, n, d); \
    } \
    REGISTER(by_number_##S) \
    extern "C" __global__ void rows_before_##S(T* to, const T* from, const T* first, const u32* before, \
                                               const u32* sentence, u32 rows, u32 d, Mask mask) { \
        rows_before<T>(to, from, first, before, sentence, rows, d, mask); \
    } \
    REGISTER(rows_before_##S) \
    extern "C" __global__ void drop_rows_##S(T* to, const T* from, const u32* numbers, u32 rows, u32 d, Mask mask) { \
        drop_rows<T>(to, from, numbers, rows, d, mask); \
    } \
    REGISTER(drop_rows_##S)
EACH(RECURRENT)
