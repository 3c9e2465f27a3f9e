// Attention of single queries to keys that are kept, each query to rows of its own picking.
//
//   p = softmax(scale · q · K[picks]ᵀ)     o = p · V[picks]
//
// As in ops/query.rs. A block has a query and a head; its warps go over the picks in turns, each with a running maximum
// (Milakov and Gimelshein 2018), and what they have found is brought together at the end.

#include "values.cuh"

// A row of what is kept holds a key and a value of `d` columns each. `longest`: the stride of recorded weights.
struct Picked {
    u32 q_width, d, heads, size, longest;
    float scale;
};

constexpr u32 WIDEST_HEAD = 128;

// record: every weight, (rows, heads, longest); or null.
template <typename T>
__device__ void attend_picked(T* out, float* record, const T* q, const T* kept, const u32* picks, const u32* starts, Picked s) {
    constexpr u32 TURNS = 4, PARTS = WIDEST_HEAD / WARP;
    __shared__ float results[TURNS][WIDEST_HEAD], mosts[TURNS], totals[TURNS];
    u32 row = blockIdx.x, head = blockIdx.y, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, at = head * s.size;
    u32 first = starts[row], end = starts[row + 1];
    if (record) record += ((u64)row * s.heads + head) * s.longest;
    float query[PARTS], result[PARTS] = {}, most = -INFINITY, total = 0.0f;
    UNROLL for (u32 c = 0; c < PARTS; c++) {
        u32 column = c * WARP + lane;
        query[c] = column < s.size ? get(q[(u64)row * s.q_width + at + column]) : 0.0f;
    }
    for (u32 i = first + warp; i < end; i += TURNS) {
        const T* key = kept + (u64)picks[i] * 2 * s.d + at;
        float product = 0.0f;
        UNROLL for (u32 c = 0; c < PARTS; c++)
            if (c * WARP + lane < s.size) product += query[c] * get(key[c * WARP + lane]);
        float score = s.scale * warp_sum(product), greatest = fmaxf(most, score);
        if (record && lane == 0) record[i - first] = score;
        float p = expf(score - greatest), shrink = expf(most - greatest);
        most = greatest;
        total = total * shrink + p;
        UNROLL for (u32 c = 0; c < PARTS; c++)
            if (c * WARP + lane < s.size) result[c] = result[c] * shrink + p * get(key[s.d + c * WARP + lane]);
    }
    UNROLL for (u32 c = 0; c < PARTS; c++) results[warp][c * WARP + lane] = result[c];
    if (lane == 0) {
        mosts[warp] = most;
        totals[warp] = total;
    }
    __syncthreads();
    float greatest = -INFINITY, sum = 0.0f, factors[TURNS];
    UNROLL for (u32 w = 0; w < TURNS; w++) greatest = fmaxf(greatest, mosts[w]);
    UNROLL for (u32 w = 0; w < TURNS; w++) {
        // A warp that had no turn has found nothing.
        factors[w] = first + w < end ? expf(mosts[w] - greatest) : 0.0f;
        sum += totals[w] * factors[w];
    }
    for (u32 column = threadIdx.x; column < s.size; column += blockDim.x) {
        float value = 0.0f;
        UNROLL for (u32 w = 0; w < TURNS; w++) value += results[w][column] * factors[w];
        put(out[(u64)row * s.d + at + column], first < end ? value / sum : 0.0f);
    }
    if (record)
        for (u32 i = threadIdx.x; i < end - first; i += blockDim.x) record[i] = expf(record[i] - greatest) / sum;
}

#define QUERY(T, S) \
    extern "C" __global__ void attend_picked_##S(T* out, float* record, const T* q, const T* kept, const u32* picks, \
                                                 const u32* starts, Picked s) { \
        attend_picked<T>(out, record, q, kept, picks, starts, s); \
    } \
    REGISTER(attend_picked_##S)
EACH(QUERY)
