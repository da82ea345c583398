#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir::kernel {

// Names of the places of programs and libraries that uprobes are at, by the files' symbol tables,
// and by debugging information where it is installed.
class FileSymbols {
public:
    // "FILE:malloc", "FILE:malloc+0x4"; "FILE+0x9d20" where no function is known, or no such file.
    // A path means what it means to that process; 0: what it means to us.
    std::string describe(int pid, const std::string& file, std::uint64_t offset);

private:
    struct Function {
        std::uint64_t begin = 0; // in the file
        std::uint64_t size = 0;
        std::string name;
    };
    static std::vector<Function> read(const std::string& path);
    std::map<std::pair<int, std::string>, std::vector<Function>> known_; // sorted by `begin`
};

} // namespace weir::kernel
