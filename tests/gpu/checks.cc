// The checks of an emulated GPU: see checks.h, and cells.h for what is in order with what.

#include "checks.h"

#include <cstring>
#include <map>

#include "arena.h"
#include "blocks.h"
#include "cells.h"
#include "faults.h"
#include "shared.h"

namespace {

// A part of memory that may be touched, up to `asked`; what lies behind that belongs to it, but to nobody else.
struct Part {
    uintptr_t begin, asked, end;
    std::string name;
};

// Device or shared memory: a range of addresses with a cell for every two bytes, and its parts by where they begin.
struct Memory {
    uintptr_t begin;
    size_t bytes;
    Cell* cells;
    Now now;
    std::map<uintptr_t, Part> parts;
    // The part that was looked up last.
    Part* last;

    bool has(uintptr_t address) const { return address - begin < bytes; }
    Cell* cell(uintptr_t address) const { return cells + (address - begin) / CELL; }

    // The cells from the one of an address on, up to and without this one.
    Cell* end(uintptr_t address, size_t n) const { return cell(address + n - 1) + 1; }

    Part* part(uintptr_t address) {
        if (last && address - last->begin < last->end - last->begin) return last;
        auto next = parts.upper_bound(address);
        return last = next == parts.begin() ? nullptr : &std::prev(next)->second;
    }

    bool may_be_touched(uintptr_t address, size_t n) {
        const Part* found = part(address);
        return found && address + n <= found->asked;
    }

    // What is wrong with an access, or null; the access is remembered.
    const char* problem(const Access& access, uint32_t oldest) {
        Cell *first = cell(access.address), *last = end(access.address, access.bytes);
        bool is_written = true, is_ordered = true;
        for (Cell* c = first; c < last; c++) is_written &= c->written >= oldest;
        // What was written in its time may be touched.
        if (!is_written && !may_be_touched(access.address, access.bytes)) return "reaches what is not its own";
        now.thread = threadIdx.x;
        for (Cell* c = first; c < last; c++) is_ordered &= access.is_write ? now.write(*c) : now.read(*c);
        if (!access.is_write && !is_written) return "reads what was not written";
        if (is_ordered) return nullptr;
        return access.is_write ? "writes what another thread reads or writes" : "reads what another thread writes";
    }

    std::string where(uintptr_t address) {
        const Part* found = part(address);
        if (!found) return "";
        return found->name + " of " + std::to_string(found->asked - found->begin) + " bytes, at byte " +
               std::to_string(address - found->begin);
    }
};

// The period of what the host and libraries write.
constexpr uint32_t HOST = 1;

Memory device{(uintptr_t)arena(), ARENA, zeros<Cell>(ARENA / CELL), {HOST, 0, 0, 0}, {}, nullptr};

Memory of_variables() {
    Memory memory{};
    for (const Variable& v : shared_variables()) {
        memory.parts[v.begin] = {v.begin, v.end, v.end, v.name};
        if (!memory.begin) memory.begin = v.begin / CELL * CELL;
        memory.bytes = v.end - memory.begin;
    }
    memory.cells = zeros<Cell>(memory.bytes / CELL + 1);
    return memory;
}

Memory shared = of_variables();

bool is_running;

// A fault of what is done between launches, or none.
bool is_whole(uintptr_t address, size_t bytes) {
    begin_faults("a copy or a product", false);
    if (!device.may_be_touched(address, bytes)) tell_fault("reaches what is not its own", nullptr, device.where(address));
    return is_sound();
}

std::string text(Line line) {
    const char* folder = strrchr(line.file, '/');
    return std::string(folder ? folder + 1 : line.file) + ":" + std::to_string(line.number);
}

void begin_period() {
    for (Memory* memory : {&device, &shared}) memory->now.period++;
}

}  // namespace

void check_allocated(uint64_t pointer, size_t bytes) {
    device.parts[pointer] = {pointer, pointer + bytes, pointer + bytes, "memory"};
    device.last = nullptr;
}

void check_freed(uint64_t pointer) {
    const Part& part = device.parts[pointer];
    clear(device.cell(pointer), (device.end(pointer, part.end - pointer) - device.cell(pointer)) * sizeof(Cell));
    device.parts.erase(pointer);
    device.last = nullptr;
}

bool check_filled(uint64_t to, unsigned char value, size_t bytes) {
    Part* part = device.part(to);
    Cell *first = device.cell(to), *last = device.end(to, bytes);
    if (value != BEYOND && value != UNWRITTEN) return check_written((const void*)to, bytes);
    part->asked = value == BEYOND ? to : part->end;
    clear(first, (last - first) * sizeof(Cell));
    return true;
}

bool check_copied(uint64_t to, uint64_t from, size_t bytes) {
    if (!is_whole(to, bytes) || !is_whole(from, bytes)) return false;
    // What was not written is not by being copied.
    const Cell* source = device.cell(from);
    for (Cell* c = device.cell(to); c < device.end(to, bytes); c++, source++) *c = {source->written ? HOST : 0, 0, 0, 0, 0};
    return true;
}

bool check_copied_out(uint64_t from, size_t bytes) { return is_whole(from, bytes); }

bool check_read(const void* from, size_t bytes) {
    uintptr_t address = (uintptr_t)from;
    if (!is_whole(address, bytes)) return false;
    for (Cell* c = device.cell(address); c < device.end(address, bytes); c++)
        if (!c->written) tell_fault("reads what was not written", nullptr, device.where(address));
    return is_sound();
}

bool check_written(const void* to, size_t bytes) {
    uintptr_t address = (uintptr_t)to;
    if (!is_whole(address, bytes)) return false;
    for (Cell* c = device.cell(address); c < device.end(address, bytes); c++) *c = {HOST, 0, 0, 0, 0};
    return true;
}

void check_launch(const char* kernel) {
    begin_faults(kernel, true);
    device.now.launch = device.now.period + 1;
    is_running = true;
}

bool check_launched() {
    is_running = false;
    return is_sound();
}

void check_block() {
    begin_period();
    Now &there = device.now, &here = shared.now;
    // Blocks share no shared memory: each begins as a launch.
    here.launch = here.block = here.period;
    there.block = there.period;
}

// Since 7.0 a GPU waits for no thread that has ended; but here kernels return after they have met, and whoever left before
// has left something undone. Every exchange is one of whole warps.
void check_meeting(bool is_block, const Line* lines, unsigned threads, unsigned alive) {
    const Line* first = nullptr;
    for (const Line* line = lines; line < lines + threads; line++) {
        if (!line->file) continue;
        if (!first) first = line;
        bool is_same = line->number == first->number && (line->file == first->file || strcmp(line->file, first->file) == 0);
        if (!is_same)
            tell_fault("meet at " + text(*line) + " those at " + text(*first), nullptr, "");
    }
    if (alive < threads) tell_fault("meet at " + text(*first) + " when others have ended", nullptr, "");
    if (is_block) begin_period();
}

void check_access(const Access& access) {
    if (!is_running) return;
    bool is_device = device.has(access.address);
    if (!is_device && is_of_thread(access.address)) return;
    if (!is_device && !shared.has(access.address)) return tell_fault("reaches no memory of the device", access.place, "");
    Memory& memory = is_device ? device : shared;
    const char* problem = memory.problem(access, is_device ? HOST : memory.now.block);
    if (access.is_one && access.address % access.bytes != 0) problem = "reaches what is not aligned";
    if (problem) tell_fault(problem, access.place, memory.where(access.address));
}
