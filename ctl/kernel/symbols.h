#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace weir::kernel {

// The kernel's functions, by /proc/kallsyms.
class Symbols {
public:
    static Result<Symbols> read();

    // Names that match a pattern of a shell, sorted.
    std::vector<std::string> matching(const std::string& pattern) const;
    bool has(const std::string& name) const { return by_name_.count(name) > 0; }
    std::optional<std::uint64_t> address(const std::string& name) const;
    // How many functions have that name: kprobes cannot tell them apart.
    std::size_t count(const std::string& name) const { return by_name_.count(name); }
    // "vfs_read+0x1f"; hexadecimal where no function is known.
    std::string describe(std::uint64_t address) const;
    // The function that an address lies in; "" if it is none.
    std::string function_at(std::uint64_t address) const;

private:
    std::map<std::uint64_t, std::string> by_address_;
    std::multimap<std::string, std::uint64_t> by_name_;
};

// Those that ftrace can hook: fentry and kprobe.multi need it. Empty: the kernel does not tell.
std::unordered_set<std::string> hookable_functions();

} // namespace weir::kernel
