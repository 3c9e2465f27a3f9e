// Attention within and between sentences, over heads, without a matrix of all scores.
//
//   S = scale · Q Kᵀ     P = softmax(S)     O = P V
//   dV = Pᵀ dO     dP = dO Vᵀ     dS = P ∘ (dP − rowsum(P ∘ dP))     dQ = scale · dS K     dK = scale · dSᵀ Q
//
// As in ops/attention.rs: a query's keys are gone through 32 at a time with a running maximum (Milakov and Gimelshein
// 2018; Dao et al. 2022). A block has a tile of one sentence and head, a warp some rows of it, a lane one key (going
// over scores) or every 32nd column (going over results). rowsum(P ∘ dP) = dO · O is left for the second backward kernel.

#include "attention.cuh"

// Keys (or, for dK and dV, queries) that are in shared memory together.
constexpr u32 TILE = 32;

// Rows of one head, as f32; what lies beyond them is 0. A row has one value more than is used, an odd number, so that lanes on
// rows of their own meet no bank twice.
template <u32 SIZE, typename T>
__device__ void load(float (*to)[SIZE + 1], u32 count, const T* from, u32 width, u32 first, u32 rows, u32 column, u32 size) {
    for (u32 i = threadIdx.x; i < count * SIZE; i += WARPS * WARP) {
        u32 row = i / SIZE, c = i % SIZE;
        to[row][c] = row < rows && c < size ? get(from[(u64)(first + row) * width + column + c]) : 0.0f;
    }
}

template <u32 SIZE> __device__ inline float dot(const float* a, const float* b) {
    float sum = 0.0f;
    for (u32 i = 0; i < SIZE; i++) sum += a[i] * b[i];
    return sum;
}

// sums: ln Σ e^s of each row and head.
template <u32 SIZE, u32 ROWS, typename T>
__device__ void attend(T* out, float* sums, const T* q, const T* kv, const Span* spans, Shape s) {
    __shared__ float queries[ROWS][SIZE + 1], keys[TILE][SIZE + 1], values[TILE][SIZE + 1];
    constexpr u32 EACH_WARP = ROWS / WARPS, PARTS = SIZE / WARP;
    Span span = spans[blockIdx.x];
    u32 head = blockIdx.y, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, at = head * s.size;
    load<SIZE>(queries, ROWS, q, s.q_width, span.query + span.tile, span.queries - span.tile, at, s.size);
    float most[EACH_WARP], total[EACH_WARP], result[EACH_WARP][PARTS] = {};
    UNROLL for (u32 r = 0; r < EACH_WARP; r++) most[r] = -INFINITY, total[r] = 0.0f;
    // The last key that any row of this tile sees.
    u32 end = s.is_causal && span.tile + ROWS < span.keys ? span.tile + ROWS : span.keys;
    for (u32 first = 0; first < end; first += TILE) {
        __syncthreads();
        load<SIZE>(keys, TILE, kv, s.kv_width, span.key + first, span.keys - first, s.key + at, s.size);
        load<SIZE>(values, TILE, kv, s.kv_width, span.key + first, span.keys - first, s.value + at, s.size);
        __syncthreads();
        UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
            u32 row = span.tile + warp * EACH_WARP + r, key = first + lane;
            bool sees = is_seen(s, span, row, key);
            float score = sees ? s.scale * dot<SIZE>(queries[warp * EACH_WARP + r], keys[lane]) : -INFINITY;
            float greatest = fmaxf(most[r], warp_most(score));
            // A tile of which a row sees nothing leaves it as it is.
            float p = sees ? expf(score - greatest) : 0.0f;
            float shrink = most[r] == greatest ? 1.0f : expf(most[r] - greatest);
            most[r] = greatest;
            total[r] = total[r] * shrink + warp_sum(p);
            UNROLL for (u32 c = 0; c < PARTS; c++) result[r][c] *= shrink;
            for (u32 k = 0; k < TILE; k++) {
                float weight = __shfl_sync(0xffffffffu, p, k);
                UNROLL for (u32 c = 0; c < PARTS; c++) result[r][c] += weight * values[k][c * WARP + lane];
            }
        }
    }
    UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
        u32 row = span.tile + warp * EACH_WARP + r;
        if (row >= span.queries) continue;
        u64 place = span.query + row;
        UNROLL for (u32 c = 0; c < PARTS; c++)
            if (c * WARP + lane < s.size)
                put(out[place * s.d + at + c * WARP + lane], total[r] > 0.0f ? result[r][c] / total[r] : 0.0f);
        if (lane == 0) sums[place * s.heads + head] = total[r] > 0.0f ? most[r] + logf(total[r]) : 0.0f;
    }
}

// dQ, and dO · O of each row and head in `products`.
template <u32 SIZE, u32 ROWS, typename T>
__device__ void attend_back_queries(T* dq, float* products, const T* d_out, const T* out, const float* sums, const T* q,
                                    const T* kv, const Span* spans, Shape s) {
    __shared__ float queries[ROWS][SIZE + 1], gradients[ROWS][SIZE + 1], keys[TILE][SIZE + 1], values[TILE][SIZE + 1];
    constexpr u32 EACH_WARP = ROWS / WARPS, PARTS = SIZE / WARP;
    Span span = spans[blockIdx.x];
    u32 head = blockIdx.y, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, at = head * s.size;
    u32 rest = span.queries - span.tile;
    load<SIZE>(queries, ROWS, q, s.q_width, span.query + span.tile, rest, at, s.size);
    load<SIZE>(gradients, ROWS, d_out, s.d, span.query + span.tile, rest, at, s.size);
    __syncthreads();
    float product[EACH_WARP], sum[EACH_WARP], result[EACH_WARP][PARTS] = {};
    UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
        u32 row = span.tile + warp * EACH_WARP + r;
        u64 place = span.query + row;
        float own = 0.0f;
        for (u32 c = lane; c < s.size && row < span.queries; c += WARP)
            own += gradients[warp * EACH_WARP + r][c] * get(out[place * s.d + at + c]);
        product[r] = warp_sum(own);
        sum[r] = row < span.queries ? sums[place * s.heads + head] : 0.0f;
        if (lane == 0 && row < span.queries) products[place * s.heads + head] = product[r];
    }
    u32 end = s.is_causal && span.tile + ROWS < span.keys ? span.tile + ROWS : span.keys;
    for (u32 first = 0; first < end; first += TILE) {
        __syncthreads();
        load<SIZE>(keys, TILE, kv, s.kv_width, span.key + first, span.keys - first, s.key + at, s.size);
        load<SIZE>(values, TILE, kv, s.kv_width, span.key + first, span.keys - first, s.value + at, s.size);
        __syncthreads();
        UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
            u32 row = span.tile + warp * EACH_WARP + r, key = first + lane;
            float score = s.scale * dot<SIZE>(queries[warp * EACH_WARP + r], keys[lane]);
            float p = is_seen(s, span, row, key) ? expf(score - sum[r]) : 0.0f;
            float ds = s.scale * p * (dot<SIZE>(gradients[warp * EACH_WARP + r], values[lane]) - product[r]);
            for (u32 k = 0; k < TILE; k++) {
                float weight = __shfl_sync(0xffffffffu, ds, k);
                UNROLL for (u32 c = 0; c < PARTS; c++) result[r][c] += weight * keys[k][c * WARP + lane];
            }
        }
    }
    UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
        u32 row = span.tile + warp * EACH_WARP + r;
        UNROLL for (u32 c = 0; c < PARTS && row < span.queries; c++)
            if (c * WARP + lane < s.size)
                put(dq[(u64)(span.query + row) * s.q_width + at + c * WARP + lane], result[r][c]);
    }
}

// dK and dV.
template <u32 SIZE, u32 ROWS, typename T>
__device__ void attend_back_keys(T* dkv, const float* products, const T* d_out, const float* sums, const T* q, const T* kv,
                                 const Span* spans, Shape s) {
    __shared__ float keys[ROWS][SIZE + 1], values[ROWS][SIZE + 1], queries[TILE][SIZE + 1], gradients[TILE][SIZE + 1];
    constexpr u32 EACH_WARP = ROWS / WARPS, PARTS = SIZE / WARP;
    Span span = spans[blockIdx.x];
    u32 head = blockIdx.y, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, at = head * s.size;
    u32 rest = span.keys - span.tile;
    load<SIZE>(keys, ROWS, kv, s.kv_width, span.key + span.tile, rest, s.key + at, s.size);
    load<SIZE>(values, ROWS, kv, s.kv_width, span.key + span.tile, rest, s.value + at, s.size);
    float dk[EACH_WARP][PARTS] = {}, dv[EACH_WARP][PARTS] = {};
    // Causal: no query before this tile sees any of its keys.
    u32 begin = s.is_causal ? span.tile / TILE * TILE : 0;
    for (u32 first = begin; first < span.queries; first += TILE) {
        __syncthreads();
        load<SIZE>(queries, TILE, q, s.q_width, span.query + first, span.queries - first, at, s.size);
        load<SIZE>(gradients, TILE, d_out, s.d, span.query + first, span.queries - first, at, s.size);
        __syncthreads();
        u32 query = first + lane;
        u64 place = ((u64)span.query + query) * s.heads + head;
        float sum = query < span.queries ? sums[place] : 0.0f, product = query < span.queries ? products[place] : 0.0f;
        UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
            u32 key = span.tile + warp * EACH_WARP + r;
            float score = s.scale * dot<SIZE>(keys[warp * EACH_WARP + r], queries[lane]);
            float p = query < span.queries && is_seen(s, span, query, key) ? expf(score - sum) : 0.0f;
            float ds = s.scale * p * (dot<SIZE>(values[warp * EACH_WARP + r], gradients[lane]) - product);
            for (u32 k = 0; k < TILE; k++) {
                float weight = __shfl_sync(0xffffffffu, p, k), slope = __shfl_sync(0xffffffffu, ds, k);
                UNROLL for (u32 c = 0; c < PARTS; c++) {
                    dv[r][c] += weight * gradients[k][c * WARP + lane];
                    dk[r][c] += slope * queries[k][c * WARP + lane];
                }
            }
        }
    }
    UNROLL for (u32 r = 0; r < EACH_WARP; r++) {
        u32 row = span.tile + warp * EACH_WARP + r;
        UNROLL for (u32 c = 0; c < PARTS && row < span.keys; c++) {
            if (c * WARP + lane >= s.size) continue;
            T* to = dkv + (u64)(span.key + row) * s.kv_width + at + c * WARP + lane;
            put(to[s.key], dk[r][c]);
            put(to[s.value], dv[r][c]);
        }
    }
}

// ROWS: four warps of as many as their results fit into registers.
#define ATTENTION(T, S, SIZE, ROWS) \
    extern "C" __global__ void attend_##SIZE##_##S(T* out, float* sums, const T* q, const T* kv, const Span* spans, Shape s) { \
        attend<SIZE, ROWS, T>(out, sums, q, kv, spans, s); \
    } \
    REGISTER(attend_##SIZE##_##S) \
    extern "C" __global__ void attend_back_queries_##SIZE##_##S(T* dq, float* products, const T* d_out, const T* out, \
                                                                const float* sums, const T* q, const T* kv, \
                                                                const Span* spans, Shape s) { \
        attend_back_queries<SIZE, ROWS, T>(dq, products, d_out, out, sums, q, kv, spans, s); \
    } \
    REGISTER(attend_back_queries_##SIZE##_##S) \
    extern "C" __global__ void attend_back_keys_##SIZE##_##S(T* dkv, const float* products, const T* d_out, \
                                                             const float* sums, const T* q, const T* kv, \
                                                             const Span* spans, Shape s) { \
        attend_back_keys<SIZE, ROWS, T>(dkv, products, d_out, sums, q, kv, spans, s); \
    } \
    REGISTER(attend_back_keys_##SIZE##_##S)
#define SIZES(T, S) ATTENTION(T, S, 32, 16) ATTENTION(T, S, 64, 8) ATTENTION(T, S, 128, 4)
EACH(SIZES)
