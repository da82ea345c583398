#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace weir::bench {

// A folder in memory that is mounted nowhere: it is there for this process and what it starts, and
// gone with this process, however that ends.
class ScratchFolder {
public:
    static Result<ScratchFolder> make();
    // A name for it that other processes understand.
    std::string path() const;
    Result<> write(const std::string& name, const std::string& content) const;

private:
    explicit ScratchFolder(Fd mount) : mount_(std::move(mount)) {}
    Fd mount_;
};

} // namespace weir::bench
