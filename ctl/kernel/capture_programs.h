#pragma once

#include <memory>

#include "base/result.h"
#include "kernel/programs.h"

struct capture_bpf;

namespace weir::kernel {

// The programs that stand at the entry and at the return of another one, and their maps.
class CapturePrograms {
public:
    static Result<CapturePrograms> load(const LoadedProgram& target);
    Result<> attach();
    void detach();

    // maps/capture.h
    int settings() const;
    int benches() const;
    int rings() const;

private:
    struct Destroy {
        void operator()(capture_bpf* bpf) const;
    };
    explicit CapturePrograms(std::unique_ptr<capture_bpf, Destroy> bpf) : bpf_(std::move(bpf)) {}
    std::unique_ptr<capture_bpf, Destroy> bpf_;
};

} // namespace weir::kernel
