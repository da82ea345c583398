#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir::kernel {

// Names of the functions of a process and of the libraries that it has mapped, by libdwfl: from
// symbol tables, and from debugging information where it is installed.
class UserSymbols {
public:
    // As the process is mapped now; what it maps later is looked for when a name is missing.
    static Result<UserSymbols> of(int pid);
    UserSymbols(UserSymbols&&) noexcept;
    UserSymbols& operator=(UserSymbols&&) noexcept;
    ~UserSymbols();

    // "main+0x1f"; "0x55d0 (libfoo.so)" where only the file is known.
    std::string describe(std::uint64_t address);

private:
    struct State;
    explicit UserSymbols(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace weir::kernel
