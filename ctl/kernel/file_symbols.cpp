#include "kernel/file_symbols.h"

#include <elfutils/libdwfl.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <tuple>

#include "kernel/elf_file.h"

namespace weir::kernel {
namespace {

std::string plus(std::uint64_t offset) {
    char text[32];
    std::snprintf(text, sizeof(text), "+0x%" PRIx64, offset);
    return text;
}

// Of a function's several names the plainest: malloc, not __libc_malloc.
auto plainness(const std::string& name) {
    return std::tuple(name.find_first_not_of('_'), name.size(), name);
}

using Debugger = std::unique_ptr<Dwfl, void (*)(Dwfl*)>;

// A file that is not mapped anywhere, with its debugging information where that is installed.
Debugger open(const std::string& path) {
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                             .find_debuginfo = dwfl_standard_find_debuginfo,
                                             .section_address = dwfl_offline_section_address,
                                             .debuginfo_path = nullptr};
    Debugger dwfl(dwfl_begin(&callbacks), dwfl_end);
    if (dwfl) {
        dwfl_report_begin(dwfl.get());
        dwfl_report_offline(dwfl.get(), path.c_str(), path.c_str(), -1);
        dwfl_report_end(dwfl.get(), nullptr, nullptr);
    }
    return dwfl;
}

} // namespace

std::vector<FileSymbols::Function> FileSymbols::read(const std::string& path) {
    std::vector<Function> functions;
    const Debugger dwfl = open(path);
    const auto each = [](Dwfl_Module* module, void**, const char*, Dwarf_Addr, void* to) {
        GElf_Addr bias = 0;
        Elf* elf = dwfl_module_getelf(module, &bias);
        const int count = elf == nullptr ? 0 : dwfl_module_getsymtab(module);
        for (int i = 0; i < count; i++) {
            GElf_Sym symbol;
            GElf_Addr address = 0;
            const char* name =
                dwfl_module_getsym_info(module, i, &symbol, &address, nullptr, nullptr, nullptr);
            const auto type = GELF_ST_TYPE(symbol.st_info);
            if (name == nullptr || symbol.st_shndx == SHN_UNDEF ||
                (type != STT_FUNC && type != STT_GNU_IFUNC)) {
                continue;
            }
            if (const auto begin = in_file(elf, address - bias); begin != 0) {
                static_cast<std::vector<Function>*>(to)->push_back({begin, symbol.st_size, name});
            }
        }
        return static_cast<int>(DWARF_CB_OK);
    };
    dwfl_getmodules(dwfl.get(), each, &functions, 0);
    std::sort(functions.begin(), functions.end(), [](const Function& a, const Function& b) {
        return a.begin != b.begin ? a.begin < b.begin : plainness(a.name) < plainness(b.name);
    });
    const auto same = [](const Function& a, const Function& b) { return a.begin == b.begin; };
    functions.erase(std::unique(functions.begin(), functions.end(), same), functions.end());
    return functions;
}

std::string FileSymbols::describe(int pid, const std::string& file, std::uint64_t offset) {
    const auto [entry, is_new] = known_.try_emplace({pid, file});
    std::vector<Function>& functions = entry->second;
    if (is_new && file.starts_with('/')) {
        functions = read(pid == 0 ? file : "/proc/" + std::to_string(pid) + "/root" + file);
    }
    auto found =
        std::upper_bound(functions.begin(), functions.end(), offset,
                         [](std::uint64_t at, const Function& each) { return at < each.begin; });
    if (found == functions.begin()) {
        return file + plus(offset);
    }
    --found;
    const std::uint64_t into = offset - found->begin;
    if (into > 0 && into >= found->size) {
        return file + plus(offset);
    }
    return file + ":" + found->name + (into == 0 ? "" : plus(into));
}

} // namespace weir::kernel
