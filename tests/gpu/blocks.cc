// Runs kernels, block by block, one block after the other.
//
// The threads of a block are fibres of one host thread; each runs until it waits for others (__syncthreads, or an exchange
// within a warp) or ends.
//
// Environment: WORDMILL_GPU_ORDER=reverse, the last thread and the last block first.

#include "blocks.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "checks.h"
#include "tensor.h"

Index blockIdx, threadIdx, blockDim, gridDim;

namespace {

constexpr size_t STACK = 64 << 10;
constexpr unsigned MOST_THREADS = 1024, LANES = 32;

// Where threads wait for one another: how many do, how many have not ended, how many there were, and how often all had come.
struct Barrier {
    unsigned waiting, alive, threads, round;
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
Kernel* running;
void** given;
// Threads that wait for none need no fibres: they run on the stack below this address.
bool is_plain;
uintptr_t stack_begin;
Barrier block_barrier, warp_barriers[MOST_THREADS / LANES];
// Where each thread has waited last; no line of one that has ended.
Line lines[MOST_THREADS];
// How often threads have gone on: when nobody does, they wait for ever.
unsigned long progress;

// A value of each thread, for this exchange and the last: nobody is two ahead. Which is this one: `exchange`.
float exchanged[2][MOST_THREADS];
Shares operands[2][MOST_THREADS];
bool exchange[MOST_THREADS];

std::map<std::string, Kernel>& kernels() {
    // Never destroyed: their names are told when the process ends.
    static auto& all = *new std::map<std::string, Kernel>;
    return all;
}

const char* const order = getenv("WORDMILL_GPU_ORDER");
const bool is_reverse = order && strcmp(order, "reverse") == 0;

unsigned nth(unsigned i, unsigned count) { return is_reverse ? count - 1 - i : i; }

[[noreturn]] void fail(const char* problem) {
    fprintf(stderr, "emulated GPU: %s: %s\n", running->name.c_str(), problem);
    abort();
}

void leave() {
    if (_setjmp(fibres[current].place) == 0) _longjmp(scheduler, 1);
}

void resume(Fibre& fibre) {
    if (_setjmp(scheduler) != 0) return;
    if (fibre.has_begun) _longjmp(fibre.place, 1);
    fibre.has_begun = true;
    setcontext(&fibre.context);
}

void pass(Barrier& barrier) {
    bool is_block = &barrier == &block_barrier;
    unsigned first = is_block ? 0 : current / LANES * LANES;
    check_meeting(is_block, lines + first, barrier.threads, barrier.alive);
    barrier.waiting = 0;
    barrier.round++;
    progress++;
}

void entry() {
    running->call(running->code, given);
    fibres[current].is_done = true;
    lines[current] = {};
    progress++;
    // Nobody waits for a thread that has ended.
    for (Barrier* barrier : {&block_barrier, &warp_barriers[current / LANES]})
        if (--barrier->alive > 0 && barrier->waiting == barrier->alive) pass(*barrier);
    leave();
}

void wait(Barrier& barrier, Line line) {
    if (is_plain) fail("some threads of a block wait, others did not");
    running->has_waited = true;
    lines[current] = line;
    unsigned round = barrier.round;
    if (++barrier.waiting == barrier.alive) return pass(barrier);
    while (barrier.round == round) leave();
}

// Whether it is one of the kernels whose blocks may have nothing to wait for: sentences without keys.
bool may_wait_later() { return running->name.rfind("attend", 0) == 0 || running->name.rfind("context", 0) == 0; }

void begin_fibres(unsigned threads) {
    if (fibres.size() < threads) {
        fibres.resize(threads);
        stacks.resize(threads * STACK);
    }
    block_barrier = {0, threads, threads, 0};
    for (unsigned first = 0; first < threads; first += LANES) {
        unsigned lanes = std::min(LANES, threads - first);
        warp_barriers[first / LANES] = {0, lanes, lanes, 0};
    }
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
}

void run_fibres(unsigned threads) {
    begin_fibres(threads);
    for (bool is_done = false; !is_done;) {
        is_done = true;
        unsigned long before = progress;
        for (unsigned i = 0; i < threads; i++) {
            current = nth(i, threads);
            if (fibres[current].is_done) continue;
            is_done = false;
            threadIdx = {current, 0, 0};
            resume(fibres[current]);
        }
        if (!is_done && progress == before) fail("threads wait for others that wait elsewhere");
    }
}

void run_block(unsigned threads) {
    check_block();
    is_plain = running->has_run && !running->has_waited && !may_wait_later();
    running->has_run = true;
    if (!is_plain) return run_fibres(threads);
    for (unsigned i = 0; i < threads; i++) {
        current = nth(i, threads);
        threadIdx = {current, 0, 0};
        running->call(running->code, given);
    }
}

}  // namespace

int registered(const char* name, Call call, Code code) {
    kernels()[name] = {name, call, code, false, false};
    return 0;
}

Kernel* find_kernel(const char* name) {
    auto found = kernels().find(name);
    return found == kernels().end() ? nullptr : &found->second;
}

void run(Kernel& kernel, Index grid, unsigned threads, void** arguments) {
    running = &kernel;
    given = arguments;
    gridDim = grid;
    blockDim = {threads, 1, 1};
    stack_begin = (uintptr_t)__builtin_frame_address(0);
    for (unsigned i = 0; i < grid.x * grid.y; i++) {
        unsigned block = nth(i, grid.x * grid.y);
        blockIdx = {block % grid.x, block / grid.x, 0};
        run_block(threads);
    }
}

bool is_of_thread(uintptr_t address) {
    for (const Index* index : {&blockIdx, &threadIdx, &blockDim, &gridDim})
        if (address - (uintptr_t)index < sizeof(Index)) return true;
    if (is_plain) return address < stack_begin && address >= (uintptr_t)__builtin_frame_address(0);
    return address - (uintptr_t)&stacks[current * STACK] < STACK;
}

void must_be_even(const void* address, size_t bytes) {
    if ((uintptr_t)address % std::min<size_t>(bytes, 16) != 0) fail("values that are moved at once do not lie even");
}

void __syncthreads(Line line) { wait(block_barrier, line); }

float __shfl_sync(unsigned, float value, unsigned lane, Line line) {
    unsigned own = current;
    float* values = exchanged[exchange[own] = !exchange[own]];
    values[own] = value;
    wait(warp_barriers[own / LANES], line);
    return values[own / LANES * LANES + lane % LANES];
}

const Shares* operands_of_warp(const Shares& own, Line line) {
    unsigned thread = current;
    Shares* all = operands[exchange[thread] = !exchange[thread]];
    all[thread] = own;
    wait(warp_barriers[thread / LANES], line);
    return all + thread / LANES * LANES;
}
