// What a compiler has code call at each access of memory with -fsanitize=thread: here to check kernels, without the library
// that looks for races of a program's threads.

#include "checks.h"

#define ACCESS(NAME, BYTES, IS_WRITE, IS_ONE) \
    void __tsan_##NAME(uintptr_t at) { check_access({at, BYTES, IS_WRITE, IS_ONE, __builtin_return_address(0)}); }
#define ACCESSES(BYTES) \
    ACCESS(read##BYTES, BYTES, false, true) \
    ACCESS(write##BYTES, BYTES, true, true) \
    ACCESS(unaligned_read##BYTES, BYTES, false, false) \
    ACCESS(unaligned_write##BYTES, BYTES, true, false)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(uintptr_t at, size_t bytes) {
    check_access({at, bytes, false, false, __builtin_return_address(0)});
}

void __tsan_write_range(uintptr_t at, size_t bytes) {
    check_access({at, bytes, true, false, __builtin_return_address(0)});
}

}  // extern "C"
