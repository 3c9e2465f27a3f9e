// Batch normalisation: columns centred and scaled, then an activation.
//
//   y = f(γ ∘ (x − μ) / √(σ² + ε) + β)        dx = γ / √(σ² + ε) · (dz − s / n − x̂ · p / n)        s = Σ dz, p = Σ dz ∘ x̂
//
// As in ops/batch_norm.rs. Sums over rows are made of shares, as those of linear.cu.

#include "values.cuh"

// Σ (x − μ)² over a share of the rows; 32 × 8 threads, grid (columns / 32, shares).
template <typename T>
__device__ void square_columns(float* shares, const T* x, const float* mean, u32 rows, u32 columns) {
    __shared__ float part[8][WARP + 1];
    u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, column = blockIdx.x * WARP + lane;
    u32 share = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * share;
    u32 end = first + share < rows ? first + share : rows;
    float sum = 0.0f;
    if (column < columns)
        for (u32 row = first + warp; row < end; row += 8) {
            float v = get(x[(u64)row * columns + column]) - mean[column];
            sum += v * v;
        }
    part[warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && column < columns) {
        for (int w = 1; w < 8; w++) sum += part[w][lane];
        shares[(u64)blockIdx.y * columns + column] = sum;
    }
}

// to = Σ shares / n
extern "C" __global__ void mean_of_shares(float* to, const float* shares, u32 count, u32 columns, float n) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    float sum = 0.0f;
    for (u32 i = 0; i < count; i++) sum += shares[(u64)i * columns + column];
    to[column] = sum / n;
}
REGISTER(mean_of_shares)

struct Columns {
    const float *mean, *variance, *scale, *shift;
};

constexpr float ADDED = 1e-5f;

template <typename T>
__device__ void normalise_columns(T* y, const T* x, Columns f, u32 rows, u32 columns, int activation) {
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 c = column_at(i, columns);
        float v = (get(x[i]) - f.mean[c]) / sqrtf(f.variance[c] + ADDED) * f.scale[c] + f.shift[c];
        put(y[i], activated(v, activation));
    }
}

// Σ dz ∘ x̂ and Σ dz over a share of the rows, columns and columns values; 32 × 8 threads, grid (columns / 32, shares).
template <typename T>
__device__ void normalised_shares(float* shares, const T* dz, const T* x, Columns f, u32 rows, u32 columns) {
    __shared__ float part[2][8][WARP + 1];
    u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, column = blockIdx.x * WARP + lane;
    u32 share = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * share;
    u32 end = first + share < rows ? first + share : rows;
    float product = 0.0f, sum = 0.0f;
    if (column < columns) {
        float mean = f.mean[column], inverse = 1.0f / sqrtf(f.variance[column] + ADDED);
        for (u32 row = first + warp; row < end; row += 8) {
            u64 at = (u64)row * columns + column;
            float d = get(dz[at]);
            product += d * (get(x[at]) - mean) * inverse;
            sum += d;
        }
    }
    part[0][warp][lane] = product;
    part[1][warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && column < columns) {
        for (int w = 1; w < 8; w++) {
            product += part[0][w][lane];
            sum += part[1][w][lane];
        }
        shares[(u64)blockIdx.y * 2 * columns + column] = product;
        shares[(u64)blockIdx.y * 2 * columns + columns + column] = sum;
    }
}

// dx in place of dz; totals: p and s. share: 1 / n, or 0 where μ and σ are not those of the batch.
template <typename T>
__device__ void denormalise_columns(T* dz, const T* x, Columns f, const float* totals, u32 rows, u32 columns, float share) {
    u64 n = (u64)rows * columns;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        u32 c = column_at(i, columns);
        float inverse = 1.0f / sqrtf(f.variance[c] + ADDED), hat = (get(x[i]) - f.mean[c]) * inverse;
        put(dz[i], f.scale[c] * inverse * (get(dz[i]) - share * (totals[columns + c] + hat * totals[c])));
    }
}

#define BATCH_NORM(T, S) \
    extern "C" __global__ void square_columns_##S(float* shares, const T* x, const float* mean, u32 rows, u32 columns) { \
        square_columns<T>(shares, x, mean, rows, columns); \
    } \
    REGISTER(square_columns_##S) \
    extern "C" __global__ void normalise_columns_##S(T* y, const T* x, const float* mean, const float* variance, \
                                                     const float* scale, const float* shift, u32 rows, u32 columns, \
                                                     int activation) { \
        normalise_columns<T>(y, x, Columns{mean, variance, scale, shift}, rows, columns, activation); \
    } \
    REGISTER(normalise_columns_##S) \
    extern "C" __global__ void normalised_shares_##S(float* shares, const T* dz, const T* x, const float* mean, \
                                                     const float* variance, u32 rows, u32 columns) { \
        normalised_shares<T>(shares, dz, x, Columns{mean, variance, nullptr, nullptr}, rows, columns); \
    } \
    REGISTER(normalised_shares_##S) \
    extern "C" __global__ void denormalise_columns_##S(T* dz, const T* x, const float* mean, const float* variance, \
                                                       const float* scale, const float* totals, u32 rows, u32 columns, \
                                                       float share) { \
        denormalise_columns<T>(dz, x, Columns{mean, variance, scale, nullptr}, totals, rows, columns, share); \
    } \
    REGISTER(denormalise_columns_##S)
EACH(BATCH_NORM)
