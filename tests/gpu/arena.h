// Addresses of device memory, more than any test allocates in its life: none is used twice.

#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

constexpr size_t ARENA = (size_t)1 << 36;

// Zeros, which take memory when they are touched.
template <typename T> T* zeros(size_t count) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory != MAP_FAILED) return (T*)memory;
    perror("emulated GPU: addresses");
    abort();
}

inline char* arena() {
    static char* memory = zeros<char>(ARENA);
    return memory;
}

// Makes zeros of a range again, and gives back most of the memory of a large one.
inline void clear(void* from, size_t bytes) {
    constexpr size_t PAGE = 4096;
    size_t begin = (size_t)from, end = begin + bytes;
    size_t first = (begin + PAGE - 1) / PAGE * PAGE, last = end / PAGE * PAGE;
    if (last < first + 256 * PAGE || madvise((void*)first, last - first, MADV_DONTNEED) != 0) first = last = end;
    memset(from, 0, first - begin);
    memset((void*)last, 0, end - last);
}
