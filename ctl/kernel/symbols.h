#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace weir::kernel {

// The kernel's functions, by /proc/kallsyms. They are tens of thousands: read when first asked for.
class Symbols {
public:
    // Refused where the kernel does not show addresses.
    static Result<Symbols> of_kernel();
    Symbols();
    Symbols(Symbols&&) noexcept;
    Symbols& operator=(Symbols&&) noexcept;
    ~Symbols();

    // Names that match a pattern of a shell, sorted.
    std::vector<std::string> matching(const std::string& pattern) const;
    bool has(const std::string& name) const { return count(name) > 0; }
    // How many functions have that name: kprobes cannot tell them apart.
    std::size_t count(const std::string& name) const;
    std::optional<std::uint64_t> address(const std::string& name) const;
    // Whether ftrace can hook it, as fentry and kprobe.multi need; true where the kernel does not
    // tell.
    bool hookable(const std::string& name) const;
    // "vfs_read+0x1f"; hexadecimal where no function is known.
    std::string describe(std::uint64_t address) const;
    // The function that an address lies in; "" if it is none.
    std::string function_at(std::uint64_t address) const;

private:
    struct Table;
    const Table& table() const;
    // None: not asked for yet.
    mutable std::unique_ptr<const Table> table_;
    mutable std::optional<std::unordered_set<std::string>> hookable_;
};

} // namespace weir::kernel
