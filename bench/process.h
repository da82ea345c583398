#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"

namespace weir::bench {

// A file in memory that holds `content`, open at its beginning: unlike a pipe it is never full.
Result<Fd> memory_file(const char* name, const std::string& content = "");

// Programs of the system, found by PATH; they end with this process, however it ends.

// Runs one with `input` on its standard input. Answers what it printed; refused, with its last
// words, if it is not there or ends with another status than 0.
Result<std::string> run_process(const std::vector<std::string>& words,
                                const std::string& input = "");

// Runs one that may speak on this process' standard error; what it prints is lost. Refused if it
// ends with another status than 0.
Result<> run_beside(const std::vector<std::string>& words);

// One that runs until this object ends.
class Child {
public:
    static Result<Child> start(const std::vector<std::string>& words);
    // At work once it has printed `said`.
    static Result<Child> start_until(const std::vector<std::string>& words,
                                     const std::string& said);
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    ~Child();

    // Refused, with its last words, if it has ended by itself.
    Result<> check();

private:
    Child(std::string name, pid_t pid, Fd errors);
    std::string name_;
    pid_t pid_;
    Fd errors_;
};

} // namespace weir::bench
