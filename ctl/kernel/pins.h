#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace weir::kernel {

// Where the state lies: <base>/<schema>/{maps,programs,links}. Base is /sys/fs/bpf/weir, or what
// --pins or WEIR_PINS say: one base is one independent Weir (one per network namespace, say).
class Pins {
public:
    explicit Pins(const std::filesystem::path& base);

    const std::filesystem::path& base() const { return base_; }
    std::filesystem::path root() const; // <base>/<schema>
    std::filesystem::path map(std::string_view name) const;
    std::filesystem::path program(std::string_view name) const;
    std::filesystem::path link(std::string_view name) const;

    bool loaded() const;
    // Mounts bpffs on /sys/fs/bpf if the base lies there and nothing is mounted, makes the base,
    // and refuses a base that is not on a bpffs or that holds pins of another schema.
    Result<> prepare() const;
    // One line with the way out if <base> holds another schema's pins and none of ours.
    Result<> check_schema() const;

private:
    std::filesystem::path base_;
};

// Held by every command for as long as it reads or changes state: flock(2) on the base directory,
// which the kernel releases however the holder dies.
class Lock {
public:
    enum class Mode { kShared, kExclusive };
    static Result<Lock> take(const Pins& pins, Mode mode);

private:
    explicit Lock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

} // namespace weir::kernel
