// Attention of two-byte values, on tensor cores; formulas and order are those of attention.cu.
//
// A warp has sixteen rows of one sentence and head, and goes over what they attend to (or what attends to them) sixteen at a
// time. Nobody else needs the rows it loads, so they go from memory straight to registers, and no thread waits for another
// warp. Weights and their gradients are rounded to two bytes before they are multiplied (as Dao et al. 2022 do); maxima, sums
// and results are f32.

#include "attention.cuh"
#include "tensor.cuh"

constexpr u32 ROWS_OF_WARP = 16;

template <u32 SIZE, typename T>
__device__ void store(T* to, u32 width, u32 rows, u32 size, const Mixed<SIZE>& result, const float* factors) {
    u32 lane = threadIdx.x % WARP, g = lane / 4, t = lane % 4;
    UNROLL for (u32 h = 0; h < 2; h++)
        UNROLL for (u32 c = 0; c < SIZE / 32; c++) {
            u32 row = g + 8 * h, column = 32 * c + 8 * t;
            if (row >= rows || column >= size) continue;
            T* place = to + (u64)row * width + column;
            must_be_even(place, sizeof(Eight));
            *(Eight*)place = eight_of<SIZE, T>(result, c, h, factors[h]);
        }
}

// The head of a warp, which may be none.
__device__ inline u32 head_of_warp() { return blockIdx.y * WARPS + threadIdx.x / WARP; }

template <u32 SIZE, typename T>
__device__ void attend_tensor(T* out, float* sums, const T* q, const T* kv, const Span* spans, Shape s) {
    Span span = spans[blockIdx.x];
    u32 head = head_of_warp(), at = head * s.size, lane = threadIdx.x % WARP, g = lane / 4, t = lane % 4;
    if (head >= s.heads) return;
    u32 first_row = span.query + span.tile, rest = span.queries - span.tile;
    Head<T> keys = head_of(kv, s.kv_width, span.key, span.keys, s.key + at, s.size);
    Head<T> values = head_of(kv, s.kv_width, span.key, span.keys, s.value + at, s.size);
    auto queries = sixteen<SIZE>(head_of(q, s.q_width, first_row, rest, at, s.size), 0);
    float most[2] = {-INFINITY, -INFINITY}, total[2] = {};
    Mixed<SIZE> result = {};
    // The last key that any row of this tile sees.
    u32 end = s.is_causal && span.tile + ROWS_OF_WARP < span.keys ? span.tile + ROWS_OF_WARP : span.keys;
    for (u32 first = 0; first < end; first += ROWS_OF_WARP) {
        float p[2][4], greatest[2] = {most[0], most[1]}, shrink[2];
        products_of_rows<SIZE, T>(p, queries, sixteen<SIZE>(keys, first));
        UNROLL for (u32 j = 0; j < 2; j++) UNROLL for (u32 e = 0; e < 4; e++) {
            u32 row = span.tile + g + 8 * (e / 2), key = first + 8 * j + 2 * t + e % 2;
            p[j][e] = is_seen(s, span, row, key) ? s.scale * p[j][e] : -INFINITY;
            greatest[e / 2] = fmaxf(greatest[e / 2], p[j][e]);
        }
        UNROLL for (u32 h = 0; h < 2; h++) {
            greatest[h] = row_most(greatest[h]);
            shrink[h] = most[h] == greatest[h] ? 1.0f : expf(most[h] - greatest[h]);
            most[h] = greatest[h];
            total[h] *= shrink[h];
        }
        // Of what a row does not see nothing is left, even if it has seen nothing yet.
        UNROLL for (u32 j = 0; j < 2; j++) UNROLL for (u32 e = 0; e < 4; e++) {
            p[j][e] = p[j][e] == -INFINITY ? 0.0f : expf(p[j][e] - most[e / 2]);
            total[e / 2] += p[j][e];
        }
        UNROLL for (u32 c = 0; c < SIZE / 32; c++)
            UNROLL for (u32 n = 0; n < 4; n++) UNROLL for (u32 e = 0; e < 4; e++) result.values[c][n][e] *= shrink[e / 2];
        mix<SIZE, T>(result, p, values, first);
    }
    float factors[2];
    UNROLL for (u32 h = 0; h < 2; h++) {
        total[h] = row_sum(total[h]);
        factors[h] = total[h] == 0.0f ? 0.0f : 1.0f / total[h];
        if (t == 0 && g + 8 * h < rest)
            sums[(u64)(first_row + g + 8 * h) * s.heads + head] = total[h] > 0.0f ? most[h] + logf(total[h]) : 0.0f;
    }
    store<SIZE>(out + (u64)first_row * s.d + at, s.d, rest, s.size, result, factors);
}

// dQ, and dO · O of each row and head in `products`.
template <u32 SIZE, typename T>
__device__ void attend_tensor_back_queries(T* dq, float* products, const T* d_out, const T* out, const float* sums, const T* q,
                                           const T* kv, const Span* spans, Shape s) {
    Span span = spans[blockIdx.x];
    u32 head = head_of_warp(), at = head * s.size, lane = threadIdx.x % WARP, g = lane / 4, t = lane % 4;
    if (head >= s.heads) return;
    u32 first_row = span.query + span.tile, rest = span.queries - span.tile;
    Head<T> keys = head_of(kv, s.kv_width, span.key, span.keys, s.key + at, s.size);
    Head<T> values = head_of(kv, s.kv_width, span.key, span.keys, s.value + at, s.size);
    auto queries = sixteen<SIZE>(head_of(q, s.q_width, first_row, rest, at, s.size), 0);
    auto gradients = sixteen<SIZE>(head_of(d_out, s.d, first_row, rest, at, s.size), 0);
    auto outs = sixteen<SIZE>(head_of(out, s.d, first_row, rest, at, s.size), 0);
    float product[2] = {}, sum[2];
    UNROLL for (u32 h = 0; h < 2; h++) {
        UNROLL for (u32 c = 0; c < SIZE / 32; c++) UNROLL for (u32 p = 0; p < 4; p++) {
            Pair<T> a = {gradients.parts[c][h].pairs[p]}, b = {outs.parts[c][h].pairs[p]};
            product[h] += get(a.values[0]) * get(b.values[0]) + get(a.values[1]) * get(b.values[1]);
        }
        product[h] = row_sum(product[h]);
        u64 place = (u64)(first_row + g + 8 * h) * s.heads + head;
        sum[h] = g + 8 * h < rest ? sums[place] : 0.0f;
        if (t == 0 && g + 8 * h < rest) products[place] = product[h];
    }
    Mixed<SIZE> result = {};
    u32 end = s.is_causal && span.tile + ROWS_OF_WARP < span.keys ? span.tile + ROWS_OF_WARP : span.keys;
    for (u32 first = 0; first < end; first += ROWS_OF_WARP) {
        float p[2][4], slope[2][4];
        products_of_rows<SIZE, T>(p, queries, sixteen<SIZE>(keys, first));
        products_of_rows<SIZE, T>(slope, gradients, sixteen<SIZE>(values, first));
        UNROLL for (u32 j = 0; j < 2; j++) UNROLL for (u32 e = 0; e < 4; e++) {
            u32 row = span.tile + g + 8 * (e / 2), key = first + 8 * j + 2 * t + e % 2;
            p[j][e] = is_seen(s, span, row, key) ? expf(s.scale * p[j][e] - sum[e / 2]) : 0.0f;
            slope[j][e] = s.scale * p[j][e] * (slope[j][e] - product[e / 2]);
        }
        mix<SIZE, T>(result, slope, keys, first);
    }
    float factors[2] = {1.0f, 1.0f};
    store<SIZE>(dq + (u64)first_row * s.q_width + at, s.q_width, rest, s.size, result, factors);
}

// dK and dV. A warp has sixteen keys; Sᵀ = K Qᵀ.
template <u32 SIZE, typename T>
__device__ void attend_tensor_back_keys(T* dkv, const float* products, const T* d_out, const float* sums, const T* q,
                                        const T* kv, const Span* spans, Shape s) {
    Span span = spans[blockIdx.x];
    u32 head = head_of_warp(), at = head * s.size, lane = threadIdx.x % WARP, g = lane / 4, t = lane % 4;
    if (head >= s.heads) return;
    u32 first_row = span.key + span.tile, rest = span.keys - span.tile;
    Head<T> queries = head_of(q, s.q_width, span.query, span.queries, at, s.size);
    Head<T> gradients = head_of(d_out, s.d, span.query, span.queries, at, s.size);
    auto keys = sixteen<SIZE>(head_of(kv, s.kv_width, first_row, rest, s.key + at, s.size), 0);
    auto values = sixteen<SIZE>(head_of(kv, s.kv_width, first_row, rest, s.value + at, s.size), 0);
    Mixed<SIZE> dk = {}, dv = {};
    // Causal: no query before this tile sees any of its keys.
    for (u32 first = s.is_causal ? span.tile : 0; first < span.queries; first += ROWS_OF_WARP) {
        float p[2][4], slope[2][4];
        products_of_rows<SIZE, T>(p, keys, sixteen<SIZE>(queries, first));
        products_of_rows<SIZE, T>(slope, values, sixteen<SIZE>(gradients, first));
        UNROLL for (u32 j = 0; j < 2; j++) UNROLL for (u32 e = 0; e < 4; e++) {
            u32 key = span.tile + g + 8 * (e / 2), query = first + 8 * j + 2 * t + e % 2;
            u64 place = (u64)(span.query + query) * s.heads + head;
            bool counts = query < span.queries && is_seen(s, span, query, key);
            p[j][e] = counts ? expf(s.scale * p[j][e] - sums[place]) : 0.0f;
            slope[j][e] = counts ? s.scale * p[j][e] * (slope[j][e] - products[place]) : 0.0f;
        }
        mix<SIZE, T>(dv, p, gradients, first);
        mix<SIZE, T>(dk, slope, queries, first);
    }
    float factors[2] = {1.0f, 1.0f};
    T* to = dkv + (u64)first_row * s.kv_width + at;
    store<SIZE>(to + s.key, s.kv_width, rest, s.size, dk, factors);
    store<SIZE>(to + s.value, s.kv_width, rest, s.size, dv, factors);
}

#define ATTENTION_TENSOR(T, S, SIZE) \
    extern "C" __global__ void attend_tensor_##SIZE##_##S(T* out, float* sums, const T* q, const T* kv, const Span* spans, \
                                                          Shape s) { \
        attend_tensor<SIZE, T>(out, sums, q, kv, spans, s); \
    } \
    REGISTER(attend_tensor_##SIZE##_##S) \
    extern "C" __global__ void attend_tensor_back_queries_##SIZE##_##S(T* dq, float* products, const T* d_out, const T* out, \
                                                                       const float* sums, const T* q, const T* kv, \
                                                                       const Span* spans, Shape s) { \
        attend_tensor_back_queries<SIZE, T>(dq, products, d_out, out, sums, q, kv, spans, s); \
    } \
    REGISTER(attend_tensor_back_queries_##SIZE##_##S) \
    extern "C" __global__ void attend_tensor_back_keys_##SIZE##_##S(T* dkv, const float* products, const T* d_out, \
                                                                    const float* sums, const T* q, const T* kv, \
                                                                    const Span* spans, Shape s) { \
        attend_tensor_back_keys<SIZE, T>(dkv, products, d_out, sums, q, kv, spans, s); \
    } \
    REGISTER(attend_tensor_back_keys_##SIZE##_##S)
#define TENSOR_SIZES(T, S) ATTENTION_TENSOR(T, S, 32) ATTENTION_TENSOR(T, S, 64) ATTENTION_TENSOR(T, S, 128)
TENSOR_SIZES(bf16, bf16)
TENSOR_SIZES(f16, f16)
