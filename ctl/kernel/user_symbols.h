#pragma once

#include <cstdint>
#include <deque>
#include <map>
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
    // Whether the process of that number is still the one that was asked for.
    bool current() const;
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

// Those of every process: looked up while it lives, and kept when it has gone, for a number of
// processes.
class ProcessSymbols {
public:
    // A process that will be asked for: it may have gone by then.
    void learn(int pid) { (void)of(pid); }
    // As UserSymbols::describe; a number alone of a process that was gone before it was asked for.
    std::string describe(int pid, std::uint64_t address);

private:
    UserSymbols* of(int pid);
    std::map<int, UserSymbols> known_;
    std::deque<int> order_; // in which they became known
};

} // namespace weir::kernel
