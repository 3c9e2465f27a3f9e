// What is remembered of every two bytes of device or shared memory: who has written them last, and who has read them.
//
// Time is counted in periods: one ends where a block begins, and where all its threads have met at a __syncthreads. So all
// accesses of two threads in one period are in no order, nor are those of two blocks of a launch. An exchange within a warp
// is no order of memory.

#pragma once

#include <cstddef>
#include <cstdint>

constexpr size_t CELL = 2;
constexpr uint16_t MANY = 0xffff;

// Periods of the last write and read, and of the last read of an earlier block than that; 0 is never. Of reads in one
// period, whose they were, or MANY.
struct Cell {
    uint32_t written, read, read_before;
    uint16_t writer, reader;
};

// The present, and when the block and the launch began.
struct Now {
    uint32_t period, block, launch;
    uint16_t thread;

    // Whether an access is in no order with this one.
    bool meets(uint32_t before, uint16_t whose) const {
        return before == period ? whose != thread : before >= launch && before < block;
    }

    bool write(Cell& cell) const {
        bool is_fault = meets(cell.written, cell.writer) || meets(cell.read, cell.reader) || cell.read_before >= launch;
        cell.written = period;
        cell.writer = thread;
        return !is_fault;
    }

    bool read(Cell& cell) const {
        if (cell.read != period) {
            if (cell.read >= launch && cell.read < block) cell.read_before = cell.read;
            cell.read = period;
            cell.reader = thread;
        } else if (cell.reader != thread) {
            cell.reader = MANY;
        }
        return !meets(cell.written, cell.writer);
    }
};
