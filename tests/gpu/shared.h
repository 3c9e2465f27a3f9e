// The kernels' shared memory: variables of this library that are local to functions and begin as zeros.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct Variable {
    uintptr_t begin, end;
    std::string name;
};

// By their addresses. From the table of symbols in the library's file.
std::vector<Variable> shared_variables();
