// Residual sum, dropout and layer normalisation, a warp to a row.
//
//   z = x + drop(s)     x̂ = (z − μ) / σ     y = γ ∘ x̂ + β
//   dx̂ = dy ∘ γ         dz = (dx̂ − mean(dx̂) − x̂ · mean(dx̂ ∘ x̂)) / σ + dz of the sum itself         ds = drop(dz)
//
// As in ops/norm.rs. The sums for dγ and dβ are those of a share of the rows: add_shares brings them together.

#include "values.cuh"

constexpr float EPSILON = 1e-5f;

// What a lane has of a row that is kept in registers: packs of four columns, the lanes' packs one after the other.
constexpr u32 FOUR = 4, MOST_PACKS = 8;

// Whether a row is, with parameters for its columns.
__device__ inline bool fits_registers(u32 d, const float* scale, const float* shift) {
    return d <= MOST_PACKS * WARP * FOUR && is_even<FOUR>(scale, d) && is_even<FOUR>(shift, d);
}

// For each pack of the lane's: its number and its first column.
#define EACH_PACK(p, i) \
    UNROLL for (u32 p = 0; p < MOST_PACKS; p++) \
        if (u32 i = (p * WARP + lane) * FOUR; i < d)

// z may be s. Without x (null) nothing is added.
template <typename T>
__device__ void normalise_in_registers(T* z, T* y, float* moments, const T* x, const T* s, const float* scale,
                                       const float* shift, u32 row, u32 d, Mask mask) {
    u32 lane = threadIdx.x % WARP;
    u64 at = (u64)row * d;
    float values[MOST_PACKS][FOUR], sum = 0.0f, square = 0.0f;
    EACH_PACK(p, i) {
        Pack<T, FOUR> own = pack_at<FOUR>(s + at + i), other = {};
        if (x) other = pack_at<FOUR>(x + at + i);
        UNROLL for (u32 e = 0; e < FOUR; e++) {
            float v = masked(mask, row, i + e, d, get(own.values[e]));
            put(own.values[e], x ? v + get(other.values[e]) : v);
            values[p][e] = get(own.values[e]);
            sum += values[p][e];
        }
        pack_at<FOUR>(z + at + i) = own;
    }
    float mean = warp_sum(sum) / d;
    EACH_PACK(p, i) UNROLL for (u32 e = 0; e < FOUR; e++) {
        values[p][e] -= mean;
        square += values[p][e] * values[p][e];
    }
    float inverse = 1.0f / sqrtf(warp_sum(square) / d + EPSILON);
    EACH_PACK(p, i) {
        Pack<T, FOUR> out;
        auto times = pack_at<FOUR>(scale + i), plus = pack_at<FOUR>(shift + i);
        UNROLL for (u32 e = 0; e < FOUR; e++) put(out.values[e], values[p][e] * inverse * times.values[e] + plus.values[e]);
        pack_at<FOUR>(y + at + i) = out;
    }
    if (lane == 0) {
        moments[2 * row] = mean;
        moments[2 * row + 1] = inverse;
    }
}

template <typename T>
__device__ void normalise(T* z, T* y, float* moments, const T* x, const T* s, const float* scale, const float* shift,
                          u32 rows, u32 d, Mask mask) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    if (fits_registers(d, scale, shift)) return normalise_in_registers(z, y, moments, x, s, scale, shift, row, d, mask);
    u64 at = (u64)row * d;
    float sum = 0.0f;
    for (u32 i = lane; i < d; i += WARP) {
        float v = masked(mask, row, i, d, get(s[at + i]));
        if (x) v += get(x[at + i]);
        put(z[at + i], v);
        sum += get(z[at + i]);
    }
    float mean = warp_sum(sum) / d, square = 0.0f;
    for (u32 i = lane; i < d; i += WARP) {
        float v = get(z[at + i]) - mean;
        square += v * v;
    }
    float inverse = 1.0f / sqrtf(warp_sum(square) / d + EPSILON);
    for (u32 i = lane; i < d; i += WARP)
        put(y[at + i], (get(z[at + i]) - mean) * inverse * scale[i] + shift[i]);
    if (lane == 0) {
        moments[2 * row] = mean;
        moments[2 * row + 1] = inverse;
    }
}

// dz in place of dy; `own` (or null) is the gradient of z itself; `ds` (or null) becomes that of s.
template <typename T>
__device__ void denormalise_in_registers(T* dy, T* ds, const T* z, const float* moments, const T* own, const float* scale,
                                         u32 row, u32 d, Mask mask) {
    u32 lane = threadIdx.x % WARP;
    u64 at = (u64)row * d;
    float mean = moments[2 * row], inverse = moments[2 * row + 1], plain = 0.0f, weighted = 0.0f;
    float slopes[MOST_PACKS][FOUR], values[MOST_PACKS][FOUR];
    EACH_PACK(p, i) {
        auto d_out = pack_at<FOUR>((const T*)dy + at + i), sum = pack_at<FOUR>(z + at + i);
        auto times = pack_at<FOUR>(scale + i);
        UNROLL for (u32 e = 0; e < FOUR; e++) {
            slopes[p][e] = get(d_out.values[e]) * times.values[e];
            values[p][e] = (get(sum.values[e]) - mean) * inverse;
            plain += slopes[p][e];
            weighted += slopes[p][e] * values[p][e];
        }
    }
    plain = warp_sum(plain) / d;
    weighted = warp_sum(weighted) / d;
    EACH_PACK(p, i) {
        Pack<T, FOUR> result, other = {};
        if (own) other = pack_at<FOUR>(own + at + i);
        UNROLL for (u32 e = 0; e < FOUR; e++) {
            float v = (slopes[p][e] - plain - values[p][e] * weighted) * inverse;
            put(result.values[e], own ? v + get(other.values[e]) : v);
            put(other.values[e], masked(mask, row, i + e, d, get(result.values[e])));
        }
        pack_at<FOUR>(dy + at + i) = result;
        if (ds) pack_at<FOUR>(ds + at + i) = other;
    }
}

template <typename T>
__device__ void denormalise(T* dy, T* ds, const T* z, const float* moments, const T* own, const float* scale, u32 rows, u32 d,
                            Mask mask) {
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (row >= rows) return;
    if (fits_registers(d, scale, scale)) return denormalise_in_registers(dy, ds, z, moments, own, scale, row, d, mask);
    u64 at = (u64)row * d;
    float mean = moments[2 * row], inverse = moments[2 * row + 1], plain = 0.0f, weighted = 0.0f;
    for (u32 i = lane; i < d; i += WARP) {
        float v = get(dy[at + i]) * scale[i];
        plain += v;
        weighted += v * (get(z[at + i]) - mean) * inverse;
    }
    plain = warp_sum(plain) / d;
    weighted = warp_sum(weighted) / d;
    for (u32 i = lane; i < d; i += WARP) {
        float v = get(dy[at + i]) * scale[i];
        v = (v - plain - (get(z[at + i]) - mean) * inverse * weighted) * inverse;
        put(dy[at + i], own ? v + get(own[at + i]) : v);
        if (ds) put(ds[at + i], masked(mask, row, i, d, get(dy[at + i])));
    }
}

// Σ dy ∘ x̂ and Σ dy over a share of the rows, d and d values; 32 × 8 threads, grid (d / 32, shares).
template <typename T>
__device__ void norm_shares(float* shares, const T* dy, const T* z, const float* moments, u32 rows, u32 d) {
    __shared__ float part[2][8][WARP + 1];
    u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, column = blockIdx.x * WARP + lane;
    u32 share = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * share;
    u32 end = first + share < rows ? first + share : rows;
    float scale = 0.0f, shift = 0.0f;
    if (column < d)
        for (u32 row = first + warp; row < end; row += 8) {
            u64 at = (u64)row * d + column;
            float v = get(dy[at]);
            scale += v * (get(z[at]) - moments[2 * row]) * moments[2 * row + 1];
            shift += v;
        }
    part[0][warp][lane] = scale;
    part[1][warp][lane] = shift;
    __syncthreads();
    if (warp == 0 && column < d) {
        for (int w = 1; w < 8; w++) {
            scale += part[0][w][lane];
            shift += part[1][w][lane];
        }
        shares[(u64)blockIdx.y * 2 * d + column] = scale;
        shares[(u64)blockIdx.y * 2 * d + d + column] = shift;
    }
}

#define NORM(T, S) \
    extern "C" __global__ void normalise_##S(T* z, T* y, float* moments, const T* x, const T* s, const float* scale, \
                                             const float* shift, u32 rows, u32 d, Mask mask) { \
        normalise<T>(z, y, moments, x, s, scale, shift, rows, d, mask); \
    } \
    REGISTER(normalise_##S) \
    extern "C" __global__ void denormalise_##S(T* dy, T* ds, const T* z, const float* moments, const T* own, \
                                               const float* scale, u32 rows, u32 d, Mask mask) { \
        denormalise<T>(dy, ds, z, moments, own, scale, rows, d, mask); \
    } \
    REGISTER(denormalise_##S) \
    extern "C" __global__ void norm_shares_##S(float* shares, const T* dy, const T* z, const float* moments, u32 rows, \
                                               u32 d) { \
        norm_shares<T>(shares, dy, z, moments, rows, d); \
    } \
    REGISTER(norm_shares_##S)
EACH(NORM)
