// cuBLAS that is not there: the one product that src/nn/device asks for, plainly, in f64.
//
// Environment: WORDMILL_CUBLAS_FULL, the number of the product, from 1 on, for which there is no memory; 0: none to begin with.
// WORDMILL_CUBLAS_BROKEN: it does not begin, and says that it is not initialised.

#include <cstddef>
#include <cstdlib>
#include <vector>

#include "checks.h"
#include "halves.h"
#include "idle.h"

namespace {

enum { NOT_INITIALIZED = 1, ALLOC_FAILED = 3 };

// Whether there is no memory for the next that is asked for.
bool is_full() {
    static long asked = 0;
    const char* set = getenv("WORDMILL_CUBLAS_FULL");
    return set && asked++ == atol(set);
}

enum { R_32F = 0, R_16F = 2, R_16BF = 14 };

float value(const void* matrix, int type, size_t i) {
    if (type == R_16F) return get(((const f16*)matrix)[i]);
    return type == R_16BF ? get(((const bf16*)matrix)[i]) : ((const float*)matrix)[i];
}

void set(void* matrix, int type, size_t i, float v) {
    if (type == R_16F) return put(((f16*)matrix)[i], v);
    if (type == R_16BF) return put(((bf16*)matrix)[i], v);
    ((float*)matrix)[i] = v;
}

// Whether what a product reads or writes is sound: so many columns, `stride` apart, of so many values.
bool is_sound(bool (*check)(const void*, size_t), const void* matrix, int type, int rows, int columns, int stride) {
    size_t bytes = type == R_32F ? 4 : 2;
    for (int j = 0; j < columns; j++)
        if (!check((const char*)matrix + (size_t)j * stride * bytes, rows * bytes)) return false;
    return true;
}

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) {
    *handle = (void*)1;
    if (getenv("WORDMILL_CUBLAS_BROKEN")) return NOT_INITIALIZED;
    return is_full() ? ALLOC_FAILED : 0;
}

int cublasDestroy_v2(void*) { return 0; }
int cublasSetStream_v2(void*, void*) { return 0; }
int cublasSetMathMode(void*, int) { return 0; }
int cublasSetWorkspace_v2(void*, void*, size_t) { return 0; }

// Matrices in columns: C (m, n) = alpha · op(A) (m, k) · op(B) (k, n) + beta · C.
int cublasGemmEx(void*, int turn_a, int turn_b, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda,
                 const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc, int, int) {
    bool is_known = a_type == R_32F || a_type == R_16F || a_type == R_16BF;
    bool knows = is_known && b_type == a_type && (c_type == R_32F || c_type == a_type);
    bool fits = lda >= (turn_a ? k : m) && ldb >= (turn_b ? n : k) && ldc >= m;
    if (!knows || !fits) return 7;
    if (is_full()) return ALLOC_FAILED;
    if (is_idle("products")) return 0;
    bool reads = is_sound(check_read, a, a_type, turn_a ? k : m, turn_a ? m : k, lda) &&
                 is_sound(check_read, b, b_type, turn_b ? n : k, turn_b ? k : n, ldb) &&
                 (*(const float*)beta == 0.0f || is_sound(check_read, c, c_type, m, n, ldc));
    if (!reads || !is_sound(check_written, c, c_type, m, n, ldc)) return 13;
    std::vector<double> row(k);
    for (int i = 0; i < m; i++) {
        for (int l = 0; l < k; l++) row[l] = value(a, a_type, turn_a ? (size_t)i * lda + l : (size_t)l * lda + i);
        for (int j = 0; j < n; j++) {
            double sum = 0.0;
            for (int l = 0; l < k; l++) sum += row[l] * value(b, b_type, turn_b ? (size_t)l * ldb + j : (size_t)j * ldb + l);
            size_t place = (size_t)j * ldc + i;
            double old = *(const float*)beta == 0.0f ? 0.0 : *(const float*)beta * value(c, c_type, place);
            set(c, c_type, place, (float)(*(const float*)alpha * sum + old));
        }
    }
    return 0;
}

}  // extern "C"
