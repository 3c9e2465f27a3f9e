#include "shared.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

std::string readable(const char* symbol) {
    int status;
    char* name = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
    std::string found = status == 0 ? name : symbol;
    free(name);
    return found;
}

}  // namespace

std::vector<Variable> shared_variables() {
    Dl_info library;
    dladdr((const void*)&shared_variables, &library);
    std::ifstream stream(library.dli_fname, std::ios::binary);
    std::string file{std::istreambuf_iterator<char>(stream), {}};
    auto header = (const Elf64_Ehdr*)file.data();
    auto sections = (const Elf64_Shdr*)(file.data() + header->e_shoff);
    std::vector<Variable> found;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        auto symbols = (const Elf64_Sym*)(file.data() + sections[i].sh_offset);
        const char* names = file.data() + sections[sections[i].sh_link].sh_offset;
        for (size_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); s++) {
            const char* name = names + symbols[s].st_name;
            bool is_variable = ELF64_ST_TYPE(symbols[s].st_info) == STT_OBJECT && symbols[s].st_shndx < header->e_shnum;
            // _ZZ: of a function.
            if (!is_variable || sections[symbols[s].st_shndx].sh_type != SHT_NOBITS || strncmp(name, "_ZZ", 3) != 0) continue;
            uintptr_t begin = (uintptr_t)library.dli_fbase + symbols[s].st_value;
            found.push_back({begin, begin + symbols[s].st_size, readable(name)});
        }
    }
    std::sort(found.begin(), found.end(), [](const Variable& a, const Variable& b) { return a.begin < b.begin; });
    return found;
}
