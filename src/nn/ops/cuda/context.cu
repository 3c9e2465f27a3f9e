// The context of a query: the mean of its sentence's rows, weighed by how well each answers to it; a warp to a row.
//
//   additive   s[j] = vᵀ tanh(k[j] + q)         dot   s[j] = scale · k[j] · q
//   p = softmax(s)     o = Σ_j p[j] · m[j]
//   ds = p ∘ (do · m − do · o)     additive: e = ds[j] · v ∘ (1 − tanh²)   dk[j] += e   dq += e   dv += ds[j] · tanh
//   dm[j] += p[j] · do             dot:      dk[j] += scale · ds[j] · q    dq += scale · ds[j] · k[j]
//
// As in ops/context.rs, and as attention of one head of any size (ops/attention.rs), where keys and rows are one. Weights
// are computed again on the way back, from the logarithm of each query's sum.

#include "values.cuh"

// Rows of the other side that a row belongs with.
struct Belongs {
    u32 first, count;
};

// Values of queries and keys, of rows, and what a product is multiplied by.
struct Sizes {
    u32 a, m;
    float scale;
};

template <bool ADDITIVE, typename T>
__device__ inline float score(const T* q, const T* key, const float* v, Sizes s) {
    float sum = 0.0f;
    for (u32 i = threadIdx.x % WARP; i < s.a; i += WARP)
        sum += ADDITIVE ? v[i] * tanhf(get(key[i]) + get(q[i])) : get(key[i]) * get(q[i]);
    return (ADDITIVE ? 1.0f : s.scale) * warp_sum(sum);
}

template <typename T> __device__ inline float dot_rows(const T* x, const T* y, u32 n) {
    float sum = 0.0f;
    for (u32 i = threadIdx.x % WARP; i < n; i += WARP) sum += get(x[i]) * get(y[i]);
    return warp_sum(sum);
}

// The rows that a query attends to: those from `first` on, or the picks from there on.
struct Attended {
    const u32* picks;
    u32 first, count;

    __device__ u64 row(u32 j) const { return picks ? picks[first + j] : first + j; }
};

// o of a query, and the logarithm of its sum; every weight in `record`, or null.
template <int PARTS, bool ADDITIVE, typename T>
__device__ inline float context_of(T* out, float* record, const T* query, const T* keys, const T* memory, const float* v,
                                   Attended to, Sizes s) {
    u32 lane = threadIdx.x % WARP;
    float most = -INFINITY, total = 0.0f, result[PARTS] = {};
    for (u32 j = 0; j < to.count; j++) {
        u64 key = to.row(j);
        float value = score<ADDITIVE>(query, keys + key * s.a, v, s), greatest = fmaxf(most, value);
        float shrink = total > 0.0f ? expf(most - greatest) : 0.0f, p = expf(value - greatest);
        if (record && lane == j % WARP) record[j] = value;
        most = greatest;
        total = total * shrink + p;
        UNROLL for (int c = 0; c < PARTS; c++)
            if (c * WARP + lane < s.m) result[c] = result[c] * shrink + p * get(memory[key * s.m + c * WARP + lane]);
    }
    UNROLL for (int c = 0; c < PARTS; c++)
        if (c * WARP + lane < s.m) put(out[c * WARP + lane], total > 0.0f ? result[c] / total : 0.0f);
    // Each lane finds what it has written itself.
    if (record)
        for (u32 j = lane; j < to.count; j += WARP) record[j] = expf(record[j] - most) / total;
    return total > 0.0f ? most + logf(total) : 0.0f;
}

template <int PARTS, bool ADDITIVE, typename T>
__device__ void context(T* out, float* sums, const T* q, const T* keys, const T* memory, const float* v,
                        const Belongs* belongs, u32 rows, Sizes s) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    if (row >= rows) return;
    Attended to = {nullptr, belongs[row].first, belongs[row].count};
    float sum = context_of<PARTS, ADDITIVE>(out + (u64)row * s.m, nullptr, q + (u64)row * s.a, keys, memory, v, to, s);
    if (threadIdx.x % WARP == 0) sums[row] = sum;
}

// The same of rows that are kept and picked by number; record: every weight, (rows, longest), or null.
template <int PARTS, bool ADDITIVE, typename T>
__device__ void context_picked(T* out, float* record, const T* q, const T* keys, const T* memory, const float* v,
                               const u32* picks, const u32* starts, u32 longest, u32 rows, Sizes s) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    if (row >= rows) return;
    Attended to = {picks, starts[row], starts[row + 1] - starts[row]};
    float* own = record ? record + (u64)row * longest : nullptr;
    context_of<PARTS, ADDITIVE>(out + (u64)row * s.m, own, q + (u64)row * s.a, keys, memory, v, to, s);
}

// dq, each query's part of dv (additive), and do · o of each.
template <int PARTS, bool ADDITIVE, typename T>
__device__ void context_back_queries(T* dq, T* dv, float* products, const T* d_out, const T* out, const float* sums,
                                     const T* q, const T* keys, const T* memory, const float* v, const Belongs* belongs,
                                     u32 rows, Sizes s) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    const T *query = q + (u64)row * s.a, *slope = d_out + (u64)row * s.m;
    float product = dot_rows(slope, out + (u64)row * s.m, s.m), own[PARTS] = {}, of_v[PARTS] = {};
    for (u32 j = 0; j < belongs[row].count; j++) {
        u64 key = belongs[row].first + j;
        const T* k = keys + key * s.a;
        float p = expf(score<ADDITIVE>(query, k, v, s) - sums[row]);
        float ds = p * (dot_rows(slope, memory + key * s.m, s.m) - product);
        UNROLL for (int c = 0; c < PARTS; c++) {
            u32 i = c * WARP + lane;
            if (i >= s.a) continue;
            if (ADDITIVE) {
                float t = tanhf(get(k[i]) + get(query[i]));
                own[c] += ds * v[i] * (1.0f - t * t);
                of_v[c] += ds * t;
            } else {
                own[c] += s.scale * ds * get(k[i]);
            }
        }
    }
    UNROLL for (int c = 0; c < PARTS; c++) {
        u32 i = c * WARP + lane;
        if (i >= s.a) continue;
        put(dq[(u64)row * s.a + i], own[c]);
        if (ADDITIVE) put(dv[(u64)row * s.a + i], of_v[c]);
    }
    if (lane == 0) products[row] = product;
}

// dk and dm, a warp to a key; where keys and rows are one, dk is null and dm is the gradient of both. `order` (or null):
// the rows of queries, where those of a sentence do not stand one after the other.
template <int PARTS, bool ADDITIVE, typename T>
__device__ void context_back_keys(T* dk, T* dm, const float* products, const T* d_out, const float* sums, const T* q,
                                  const T* keys, const T* memory, const float* v, const Belongs* belongs,
                                  const u32* order, u32 rows, Sizes s) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    const T *k = keys + (u64)row * s.a, *m = memory + (u64)row * s.m;
    float own[PARTS] = {}, of_m[PARTS] = {};
    for (u32 j = 0; j < belongs[row].count; j++) {
        u64 query = order ? order[belongs[row].first + j] : belongs[row].first + j;
        const T *to = q + query * s.a, *slope = d_out + query * s.m;
        float p = expf(score<ADDITIVE>(to, k, v, s) - sums[query]);
        float ds = p * (dot_rows(slope, m, s.m) - products[query]);
        UNROLL for (int c = 0; c < PARTS; c++) {
            u32 i = c * WARP + lane;
            if (i < s.m) of_m[c] += p * get(slope[i]);
            if (i >= s.a) continue;
            if (ADDITIVE) {
                float t = tanhf(get(k[i]) + get(to[i]));
                own[c] += ds * v[i] * (1.0f - t * t);
            } else {
                own[c] += s.scale * ds * get(to[i]);
            }
        }
    }
    UNROLL for (int c = 0; c < PARTS; c++) {
        u32 i = c * WARP + lane;
        if (dk && i < s.a) put(dk[(u64)row * s.a + i], own[c]);
        if (i < s.m) put(dm[(u64)row * s.m + i], dk ? of_m[c] : of_m[c] + own[c]);
    }
}

// PARTS: registers of a lane, for rows of up to 32 times as many values.
#define CONTEXT(T, S, SCORE, ADDITIVE, PARTS) \
    extern "C" __global__ void context_##SCORE##_##PARTS##_##S(T* out, float* sums, const T* q, const T* keys, \
                                                               const T* memory, const float* v, const Belongs* belongs, \
                                                               u32 rows, Sizes s) { \
        context<PARTS, ADDITIVE, T>(out, sums, q, keys, memory, v, belongs, rows, s); \
    } \
    REGISTER(context_##SCORE##_##PARTS##_##S) \
    extern "C" __global__ void context_picked_##SCORE##_##PARTS##_##S( \
        T* out, float* record, const T* q, const T* keys, const T* memory, const float* v, const u32* picks, \
        const u32* starts, u32 longest, u32 rows, Sizes s) { \
        context_picked<PARTS, ADDITIVE, T>(out, record, q, keys, memory, v, picks, starts, longest, rows, s); \
    } \
    REGISTER(context_picked_##SCORE##_##PARTS##_##S) \
    extern "C" __global__ void context_back_queries_##SCORE##_##PARTS##_##S( \
        T* dq, T* dv, float* products, const T* d_out, const T* out, const float* sums, const T* q, const T* keys, \
        const T* memory, const float* v, const Belongs* belongs, u32 rows, Sizes s) { \
        context_back_queries<PARTS, ADDITIVE, T>(dq, dv, products, d_out, out, sums, q, keys, memory, v, belongs, rows, s); \
    } \
    REGISTER(context_back_queries_##SCORE##_##PARTS##_##S) \
    extern "C" __global__ void context_back_keys_##SCORE##_##PARTS##_##S( \
        T* dk, T* dm, const float* products, const T* d_out, const float* sums, const T* q, const T* keys, \
        const T* memory, const float* v, const Belongs* belongs, const u32* order, u32 rows, Sizes s) { \
        context_back_keys<PARTS, ADDITIVE, T>(dk, dm, products, d_out, sums, q, keys, memory, v, belongs, order, rows, s); \
    } \
    REGISTER(context_back_keys_##SCORE##_##PARTS##_##S)
#define SCORES(T, S) \
    CONTEXT(T, S, dot, false, 8) CONTEXT(T, S, dot, false, 32) CONTEXT(T, S, additive, true, 8) CONTEXT(T, S, additive, true, 32)
EACH(SCORES)
