#include "faults.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <set>
#include <tuple>

#include "emulated.h"

namespace {

// What is told when the process ends, and the status it ends with.
struct Summary {
    unsigned long launches = 0;
    std::set<std::string> kernels;
    std::set<std::tuple<std::string, std::string, const void*>> faults;

    ~Summary() {
        if (launches == 0) return;
        fprintf(stderr, "checked GPU: %lu launches of %zu kernels, %zu faults\n", launches, kernels.size(), faults.size());
        if (!faults.empty()) _exit(1);
    }
};

Summary summary;
std::string current;
bool is_in_kernel, has_fault;

// A place of the code as a line of its file, and the lines that it is inlined at; an address without addr2line.
std::string line_of(const void* at) {
    Dl_info library;
    if (!at || !dladdr(at, &library)) return "";
    // Where a call returns to is behind it.
    unsigned long offset = (const char*)at - (const char*)library.dli_fbase - 1;
    char text[4096];
    snprintf(text, sizeof text, "addr2line -i -s -e '%s' %#lx 2>/dev/null", library.dli_fname, offset);
    std::string lines;
    if (FILE* lister = popen(text, "r")) {
        while (fgets(text, sizeof text, lister))
            lines += (lines.empty() ? "" : " < ") + std::string(text, strcspn(text, " \n"));
        pclose(lister);
    }
    if (!lines.empty()) return lines;
    snprintf(text, sizeof text, "%s + %#lx", library.dli_fname, offset);
    return text;
}

}  // namespace

void begin_faults(const std::string& name, bool is_kernel) {
    current = name;
    is_in_kernel = is_kernel;
    has_fault = false;
    if (!is_kernel) return;
    summary.launches++;
    summary.kernels.insert(name);
}

bool is_sound() { return !has_fault; }

void tell_fault(const std::string& problem, const void* at, const std::string& memory) {
    has_fault = true;
    if (!summary.faults.insert({current, problem, at}).second) return;
    fprintf(stderr, "checked GPU: %s", current.c_str());
    if (is_in_kernel) fprintf(stderr, ", block (%u, %u), thread %u", blockIdx.x, blockIdx.y, threadIdx.x);
    fprintf(stderr, ": %s", problem.c_str());
    if (!memory.empty()) fprintf(stderr, ": %s", memory.c_str());
    if (at) fprintf(stderr, "\n    %s", line_of(at).c_str());
    fprintf(stderr, "\n");
}
