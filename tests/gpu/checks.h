// What the emulated GPU tells its checks, when it is built to be checked:
//
//   accesses    outside of what was allocated and handed out, or of no memory of the device at all
//   races       of a thread with another of its block, without a __syncthreads between, or with one of another block
//   reads       of device memory that nobody has written, and of shared memory that its block has not
//   meetings    of threads that are at different places, or some of which have ended
//
// As memcheck, racecheck, initcheck and synccheck of NVIDIA's compute-sanitizer. A launch, copy or product with a fault fails.

#pragma once

#include <cstddef>
#include <cstdint>

struct Line;

// Bytes that tests of src/nn/device fill memory with: all of what was given back and may be handed out again, which makes
// it unwritten, and what lies behind the values that were asked for, which nobody may touch.
constexpr unsigned char UNWRITTEN = 0xff, BEYOND = 0xfe;

#ifdef CHECKED

void check_allocated(uint64_t pointer, size_t bytes);
void check_freed(uint64_t pointer);

// Before the first and after the last block of a launch; whether there was no fault.
void check_launch(const char* kernel);
bool check_launched();

// Before each block.
void check_block();

// Threads of a block or a warp have met, each at a line; those that are not alive have none.
void check_meeting(bool is_block, const Line* lines, unsigned threads, unsigned alive);

// An access of a kernel, at this place of its code. Of several values its address may be any.
struct Access {
    uintptr_t address;
    size_t bytes;
    bool is_write, is_one;
    const void* place;
};

void check_access(const Access& access);

// What the host or a library does between launches; whether there was no fault. The host may copy out what was not written:
// it finds poison, and knows what it does not look at.
bool check_copied_out(uint64_t from, size_t bytes);
extern "C" bool check_read(const void* from, size_t bytes);
extern "C" bool check_written(const void* to, size_t bytes);
bool check_filled(uint64_t to, unsigned char value, size_t bytes);
bool check_copied(uint64_t to, uint64_t from, size_t bytes);

#else

inline void check_allocated(uint64_t, size_t) {}
inline void check_freed(uint64_t) {}
inline bool check_filled(uint64_t, unsigned char, size_t) { return true; }
inline bool check_copied(uint64_t, uint64_t, size_t) { return true; }
inline void check_launch(const char*) {}
inline bool check_launched() { return true; }
inline void check_block() {}
inline void check_meeting(bool, const Line*, unsigned, unsigned) {}
inline bool check_copied_out(uint64_t, size_t) { return true; }
inline bool check_read(const void*, size_t) { return true; }
inline bool check_written(const void*, size_t) { return true; }

#endif
