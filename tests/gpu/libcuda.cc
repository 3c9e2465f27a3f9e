// The driver of two GPUs that are not there: the calls that src/nn/device makes, on memory of the host, with the kernels
// compiled for the host. New memory, and what lies around it, is poison: whoever reads it reads no numbers, and who
// writes around it is found when it is freed. Copies from and to memory that was not allocated are errors. A process may
// use one GPU of the two.
//
// Environment: WORDMILL_GPU_MEMORY, bytes of the device's memory (1 GiB); WORDMILL_SECOND_GPU, the compute capability of the
// second, without the part behind the point (8).

#include "emulated.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

Index blockIdx, threadIdx, blockDim, gridDim;
float exchanged[2][1024];
bool exchange[1024];

std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

#include "kernels.cu"

Shares shares[2][1024];

namespace {

constexpr size_t STACK = 64 << 10;

// Where threads wait for one another: how many do, how many there are, and how often all had come.
struct Barrier {
    unsigned waiting, alive, round;

    void pass() {
        waiting = 0;
        round++;
    }
};

struct Fibre {
    // Where it begins; from then on where it left off. Jumps are cheaper than changes of context, which ask the system.
    ucontext_t context;
    jmp_buf place;
    bool has_begun, is_done;
};

std::vector<Fibre> fibres;
std::vector<char> stacks;
jmp_buf scheduler;
unsigned current;
const Kernel* running;
void** given;
// Of each kernel that has run a block: whether any thread of it waited. Threads that wait for none need no fibres.
std::map<const Kernel*, bool> has_waited;
bool is_plain;
Barrier block_barrier, warp_barriers[32];

void leave() {
    if (_setjmp(fibres[current].place) == 0) _longjmp(scheduler, 1);
}

void resume(Fibre& fibre) {
    if (_setjmp(scheduler) != 0) return;
    if (fibre.has_begun) _longjmp(fibre.place, 1);
    fibre.has_begun = true;
    setcontext(&fibre.context);
}

void entry() {
    (*running)(given);
    fibres[current].is_done = true;
    // Nobody waits for a thread that has ended.
    for (Barrier* barrier : {&block_barrier, &warp_barriers[current / 32]})
        if (--barrier->alive > 0 && barrier->waiting == barrier->alive) barrier->pass();
    leave();
}

void wait(Barrier& barrier) {
    if (is_plain) {
        fprintf(stderr, "emulated GPU: some threads of a block wait, others did not\n");
        abort();
    }
    has_waited[running] = true;
    unsigned round = barrier.round;
    if (++barrier.waiting == barrier.alive) return barrier.pass();
    while (barrier.round == round) leave();
}

// Whether it is one of the kernels whose blocks may have nothing to wait for: sentences without keys.
bool may_wait_later() {
    for (const auto& [name, kernel] : kernels())
        if (&kernel == running) return name.rfind("attend", 0) == 0 || name.rfind("context", 0) == 0;
    return false;
}

void run_block(unsigned threads) {
    auto known = has_waited.try_emplace(running, false);
    is_plain = !known.second && !known.first->second && !may_wait_later();
    if (is_plain) {
        for (current = 0; current < threads; current++) {
            threadIdx = {current, 0, 0};
            (*running)(given);
        }
        return;
    }
    if (fibres.size() < threads) {
        fibres.resize(threads);
        stacks.resize(threads * STACK);
    }
    block_barrier = {0, threads, 0};
    for (unsigned w = 0; w < 32; w++) warp_barriers[w] = {0, 32 * w < threads ? std::min(32u, threads - 32 * w) : 0, 0};
    for (unsigned i = 0; i < threads; i++) {
        Fibre& fibre = fibres[i];
        fibre.has_begun = fibre.is_done = false;
        exchange[i] = false;
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = &stacks[i * STACK];
        fibre.context.uc_stack.ss_size = STACK;
        fibre.context.uc_link = nullptr;
        makecontext(&fibre.context, entry, 0);
    }
    for (bool is_done = false; !is_done;) {
        is_done = true;
        for (current = 0; current < threads; current++) {
            if (fibres[current].is_done) continue;
            is_done = false;
            threadIdx = {current, 0, 0};
            resume(fibres[current]);
        }
    }
}

// Allocations, each between two fences.
constexpr size_t FENCE = 256;
constexpr unsigned char POISON = 0xff;

size_t total_memory() {
    const char* set = getenv("WORDMILL_GPU_MEMORY");
    return set ? strtoull(set, nullptr, 10) : (size_t)1 << 30;
}

std::map<uint64_t, size_t> blocks;
size_t used;

bool is_whole(uint64_t pointer, size_t bytes) {
    const unsigned char* memory = (const unsigned char*)pointer;
    for (size_t i = 1; i <= FENCE; i++)
        if (memory[-(ptrdiff_t)i] != POISON || memory[bytes + i - 1] != POISON) return false;
    return true;
}

// Whether all of a range lies in one allocation.
bool is_known(uint64_t pointer, size_t bytes) {
    auto next = blocks.upper_bound(pointer);
    if (next == blocks.begin()) return false;
    auto block = std::prev(next);
    return pointer + bytes <= block->first + block->second;
}

}  // namespace

void wait_for_block() { wait(block_barrier); }

void wait_for_warp() { wait(warp_barriers[current / 32]); }

enum { SUCCESS = 0, INVALID = 1, NO_MEMORY = 2, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700 };

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

int cuDevicePrimaryCtxRetain(void** context, int) {
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
    auto found = kernels().find(name);
    if (found == kernels().end()) return NOT_FOUND;
    *function = (void*)&found->second;
    return SUCCESS;
}

int cuMemAlloc_v2(uint64_t* pointer, size_t bytes) {
    if (used + bytes > total_memory()) return NO_MEMORY;
    char* memory = (char*)aligned_alloc(FENCE, (bytes + 2 * FENCE + FENCE - 1) / FENCE * FENCE);
    memset(memory, POISON, bytes + 2 * FENCE);
    *pointer = (uint64_t)memory + FENCE;
    blocks[*pointer] = bytes;
    used += bytes;
    return SUCCESS;
}

int cuMemFree_v2(uint64_t pointer) {
    auto block = blocks.find(pointer);
    if (block == blocks.end()) return INVALID;
    if (!is_whole(pointer, block->second)) {
        fprintf(stderr, "emulated GPU: something was written outside of %zu bytes of memory\n", block->second);
        abort();
    }
    used -= block->second;
    blocks.erase(block);
    free((void*)(pointer - FENCE));
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
    memcpy((void*)to, from, bytes);
    return SUCCESS;
}

int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void*) {
    if (!is_known(from, bytes)) return ILLEGAL_ADDRESS;
    memcpy(to, (const void*)from, bytes);
    return SUCCESS;
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void*) {
    if (!is_known(from, bytes) || !is_known(to, bytes)) return ILLEGAL_ADDRESS;
    memcpy((void*)to, (const void*)from, bytes);
    return SUCCESS;
}

int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void*) {
    if (!is_known(to, bytes)) return ILLEGAL_ADDRESS;
    memset((void*)to, value, bytes);
    return SUCCESS;
}

int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned,
                   void*, void** arguments, void**) {
    if (bx > 1024 || by != 1 || bz != 1 || gz != 1 || gx == 0 || gy == 0 || gy > 65535) return INVALID;
    running = (const Kernel*)function;
    given = arguments;
    gridDim = {gx, gy, 1};
    blockDim = {bx, 1, 1};
    for (unsigned y = 0; y < gy; y++)
        for (unsigned x = 0; x < gx; x++) {
            blockIdx = {x, y, 0};
            run_block(bx);
        }
    return SUCCESS;
}

int cuGetErrorString(int error, const char** text) {
    *text = error == NO_MEMORY ? "out of memory" : error == ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : "invalid argument";
    return SUCCESS;
}

int cuGetErrorName(int error, const char** text) { return cuGetErrorString(error, text); }

}  // extern "C"
