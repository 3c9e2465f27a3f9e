// The driver of two GPUs that are not there: the calls that src/nn/device makes, on memory of the host, with the kernels
// compiled for the host. New memory, and what lies around it, is poison: whoever reads it reads no numbers, and who
// writes around it is found when it is freed. Copies from and to memory that was not allocated are errors. A process may
// use one GPU of the two. What more is found by one that is built to be checked: checks.h.
//
// Environment: WORDMILL_GPU_MEMORY, bytes of the device's memory (1 GiB), WORDMILL_SECOND_GPU_MEMORY, those of the second;
// WORDMILL_SECOND_GPU, its compute capability without the part behind the point (8); WORDMILL_GPU_IDLE=1, an idle one (idle.h).

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>

#include "arena.h"
#include "blocks.h"
#include "checks.h"
#include "idle.h"

namespace {

struct Idle {
    bool is_so = getenv("WORDMILL_GPU_IDLE");
    std::map<const char*, unsigned long> asked;

    ~Idle() {
        for (const auto& [what, count] : asked) fprintf(stderr, "idle GPU: %8lu %s\n", count, what);
    }
} idle;

// Allocations, each between two fences.
constexpr size_t FENCE = 256;
constexpr unsigned char POISON = 0xff;

// The device of this process: it uses one.
int own = 0;

size_t total_memory() {
    const char* set = own == 1 ? getenv("WORDMILL_SECOND_GPU_MEMORY") : nullptr;
    if (!set) set = getenv("WORDMILL_GPU_MEMORY");
    return set ? strtoull(set, nullptr, 10) : (size_t)1 << 30;
}

// By their addresses.
std::map<uint64_t, size_t> allocations;
// Bytes that are, and bytes of the arena that were, with their fences.
size_t used, passed;

bool is_whole(uint64_t pointer, size_t bytes) {
    const unsigned char* memory = (const unsigned char*)pointer;
    for (size_t i = 1; i <= FENCE; i++)
        if (memory[-(ptrdiff_t)i] != POISON || memory[bytes + i - 1] != POISON) return false;
    return true;
}

// Whether all of a range lies in one allocation.
bool is_known(uint64_t pointer, size_t bytes) {
    auto next = allocations.upper_bound(pointer);
    if (next == allocations.begin()) return false;
    auto block = std::prev(next);
    return pointer + bytes <= block->first + block->second;
}

}  // namespace

bool is_idle(const char* what) {
    if (idle.is_so) idle.asked[what]++;
    return idle.is_so;
}

enum { SUCCESS = 0, INVALID = 1, NO_MEMORY = 2, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719 };

extern "C" {

int cuInit(unsigned) { return SUCCESS; }

int cuDeviceGetCount(int* count) {
    *count = 2;
    return SUCCESS;
}

int cuDeviceGet(int* device, int number) {
    *device = number;
    return number == 0 || number == 1 ? SUCCESS : INVALID;
}

int cuDeviceGetName(char* name, int size, int) {
    snprintf(name, size, "emulated GPU");
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = total_memory();
    return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
    // Compute capability 8.0.
    const char* set = device == 1 ? getenv("WORDMILL_SECOND_GPU") : nullptr;
    *value = attribute == 75 ? (set ? atoi(set) : 8) : 0;
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
    own = device;
    *context = (void*)1;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
int cuCtxSetCurrent(void*) { return SUCCESS; }

int cuStreamCreate(void** stream, unsigned) {
    *stream = (void*)1;
    return SUCCESS;
}

int cuStreamDestroy_v2(void*) { return SUCCESS; }
int cuStreamSynchronize(void*) { return SUCCESS; }

int cuModuleLoadData(void** module, const void*) {
    *module = (void*)1;
    return SUCCESS;
}

int cuModuleUnload(void*) { return SUCCESS; }

int cuModuleGetFunction(void** function, void*, const char* name) {
    *function = find_kernel(name);
    return *function ? SUCCESS : NOT_FOUND;
}

int cuMemAlloc_v2(uint64_t* pointer, size_t bytes) {
    size_t room = (bytes + 2 * FENCE + FENCE - 1) / FENCE * FENCE;
    if (used + bytes > total_memory() || passed + room > ARENA) return NO_MEMORY;
    char* memory = arena() + passed;
    passed += room;
    if (!is_idle("allocations")) memset(memory, POISON, bytes + 2 * FENCE);
    *pointer = (uint64_t)memory + FENCE;
    check_allocated(*pointer, bytes);
    allocations[*pointer] = bytes;
    used += bytes;
    return SUCCESS;
}

int cuMemGetInfo_v2(size_t* available, size_t* total) {
    *total = total_memory();
    *available = *total - used;
    return SUCCESS;
}

int cuMemFree_v2(uint64_t pointer) {
    auto block = allocations.find(pointer);
    if (block == allocations.end()) return INVALID;
    if (!idle.is_so && !is_whole(pointer, block->second)) {
        fprintf(stderr, "emulated GPU: something was written outside of %zu bytes of memory\n", block->second);
        abort();
    }
    used -= block->second;
    check_freed(pointer);
    clear((void*)pointer, block->second);
    allocations.erase(block);
    return SUCCESS;
}

int cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
    *pointer = malloc(bytes);
    return SUCCESS;
}

int cuMemFreeHost(void* pointer) {
    free(pointer);
    return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void*) {
    if (!is_known(to, bytes)) return ILLEGAL_ADDRESS;
    if (is_idle("copies to the device")) return SUCCESS;
    memcpy((void*)to, from, bytes);
    return check_written((const void*)to, bytes) ? SUCCESS : ILLEGAL_ADDRESS;
}

int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void*) {
    if (!is_known(from, bytes)) return ILLEGAL_ADDRESS;
    if (is_idle("copies from the device")) return memset(to, 0, bytes), SUCCESS;
    memcpy(to, (const void*)from, bytes);
    return check_copied_out(from, bytes) ? SUCCESS : ILLEGAL_ADDRESS;
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void*) {
    if (!is_known(from, bytes) || !is_known(to, bytes)) return ILLEGAL_ADDRESS;
    if (is_idle("copies on the device")) return SUCCESS;
    memcpy((void*)to, (const void*)from, bytes);
    return check_copied(to, from, bytes) ? SUCCESS : ILLEGAL_ADDRESS;
}

int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void*) {
    if (!is_known(to, bytes)) return ILLEGAL_ADDRESS;
    if (is_idle("fillings")) return SUCCESS;
    memset((void*)to, value, bytes);
    return check_filled(to, value, bytes) ? SUCCESS : ILLEGAL_ADDRESS;
}

int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned,
                   void*, void** arguments, void**) {
    if (bx > 1024 || by != 1 || bz != 1 || gz != 1 || gx == 0 || gy == 0 || gy > 65535) return INVALID;
    Kernel& kernel = *(Kernel*)function;
    if (is_idle(kernel.name.c_str())) return SUCCESS;
    check_launch(kernel.name.c_str());
    run(kernel, {gx, gy, 1}, bx, arguments);
    return check_launched() ? SUCCESS : LAUNCH_FAILED;
}

int cuGetErrorString(int error, const char** text) {
    *text = error == NO_MEMORY         ? "out of memory"
            : error == ILLEGAL_ADDRESS ? "an illegal memory access was encountered"
            : error == LAUNCH_FAILED   ? "unspecified launch failure"
                                       : "invalid argument";
    return SUCCESS;
}

int cuGetErrorName(int error, const char** text) { return cuGetErrorString(error, text); }

}  // extern "C"
