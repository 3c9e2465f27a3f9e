// Faults of kernels, told on stderr, each once.

#pragma once

#include <string>

// Whose faults come next: a kernel's, or those of what is done between launches.
void begin_faults(const std::string& name, bool is_kernel);

// Whether there was none since then.
bool is_sound();

// `at`: where in the code, or null; `memory`: which was touched, or nothing.
void tell_fault(const std::string& problem, const void* at, const std::string& memory);
