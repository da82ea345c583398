#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <bpf/bpf.h>

#include "kernel/btf.h"

namespace weir::kernel {

// Names of what programs of types TRACING, LSM and EXT are attached to: a function of the kernel,
// of a module or of a BPF program.
class ProbeTargets {
public:
    // "vfs_read"; "PROGRAM:function". "": the kernel does not tell.
    std::string name(const bpf_link_info& link, const bpf_prog_info& program);

private:
    std::string of_kernel(std::uint32_t object, std::uint32_t function);
    static std::string of_program(std::uint32_t target, std::uint32_t function);

    std::optional<Btf> kernel_; // read when first asked for, as the modules'
    std::map<std::uint32_t, std::optional<Btf>> modules_;
};

// "fentry", "lsm", …
std::string kind_of_tracing(const bpf_link_info& link, const bpf_prog_info& program);

} // namespace weir::kernel
