#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir::bench {

// sink.bpf.c on an interface of the namespace that this process is in, for as long as it lives.
class CountingProgram {
public:
    static Result<CountingProgram> drop(const std::string& on, bool generic);
    static Result<CountingProgram> redirect(const std::string& on, const std::string& to,
                                            bool generic);
    CountingProgram(CountingProgram&&) noexcept;
    CountingProgram& operator=(CountingProgram&&) = delete;
    ~CountingProgram();

    Result<std::uint64_t> count() const;

private:
    struct Objects;
    explicit CountingProgram(std::unique_ptr<Objects> objects);
    static Result<CountingProgram> attach(const std::string& on, std::uint32_t to, bool generic);
    std::unique_ptr<Objects> objects_;
};

} // namespace weir::bench
