// Kernels by their names, and how they are run.

#pragma once

#include <string>

#include "emulated.h"

struct Kernel {
    std::string name;
    Call call;
    Code code;
    // Whether a block of it has been run, and whether any thread of one waited for others.
    bool has_run, has_waited;
};

// Null where there is none of that name.
Kernel* find_kernel(const char* name);

void run(Kernel& kernel, Index grid, unsigned threads, void** arguments);

// Whether it is the stack of the thread that runs, or one of the four variables above.
bool is_of_thread(uintptr_t address);
