#include "kernel/symbols.h"

#include <fnmatch.h>

#include <cctype>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <memory>

#include "kernel/refusal.h"

namespace weir::kernel {

Result<Symbols> Symbols::read() {
    constexpr const char* kPath = "/proc/kallsyms";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(kPath, "re"),
                                                               &std::fclose);
    if (!file) {
        return fail_errno(std::string("reading ") + kPath, errno);
    }
    Symbols symbols;
    char line[512];
    while (std::fgets(line, sizeof(line), file.get()) != nullptr) {
        std::uint64_t address = 0;
        char kind = 0, name[256];
        if (std::sscanf(line, "%" SCNx64 " %c %255s", &address, &kind, name) != 3 ||
            (std::tolower(kind) != 't' && std::tolower(kind) != 'w')) {
            continue;
        }
        symbols.by_name_.emplace(name, address);
        symbols.by_address_.emplace(address, name);
    }
    if (symbols.by_address_.size() < 2) { // all of them at 0: kptr_restrict
        return fail(
            "/proc/kallsyms shows no addresses: sysctl kernel.kptr_restrict=1, and be root");
    }
    return symbols;
}

std::vector<std::string> Symbols::matching(const std::string& pattern) const {
    std::vector<std::string> names;
    for (auto at = by_name_.begin(); at != by_name_.end(); at = by_name_.upper_bound(at->first)) {
        if (fnmatch(pattern.c_str(), at->first.c_str(), 0) == 0) {
            names.push_back(at->first);
        }
    }
    return names;
}

std::optional<std::uint64_t> Symbols::address(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::string Symbols::function_at(std::uint64_t address) const {
    auto after = by_address_.upper_bound(address);
    return after == by_address_.begin() ? "" : std::prev(after)->second;
}

std::string Symbols::describe(std::uint64_t address) const {
    const auto after = by_address_.upper_bound(address);
    char text[64];
    if (after == by_address_.begin()) {
        std::snprintf(text, sizeof(text), "0x%" PRIx64, address);
        return text;
    }
    const auto& [start, name] = *std::prev(after);
    if (address == start) {
        return name;
    }
    std::snprintf(text, sizeof(text), "+0x%" PRIx64, address - start);
    return name + text;
}

std::unordered_set<std::string> hookable_functions() {
    std::ifstream file("/sys/kernel/tracing/available_filter_functions");
    std::unordered_set<std::string> names;
    for (std::string line; std::getline(file, line);) {
        names.insert(line.substr(0, line.find(' '))); // "name [module]"
    }
    return names;
}

} // namespace weir::kernel
