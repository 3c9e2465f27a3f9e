// An idle GPU computes nothing. It counts what it is asked for and tells it when the process ends: so the part of the host in a
// step can be seen by itself.

#pragma once

// Counts what is asked for, if the GPU is idle; whether it is.
extern "C" bool is_idle(const char* what);
