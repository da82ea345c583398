#include "kernel/xdp_programs.h"

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <memory>

#include "kernel/bpf.h"
#include "kernel/refusal.h"

namespace weir::kernel {

Result<std::vector<std::uint32_t>> xdp_programs_on(std::uint32_t ifindex) {
    const LibraryLog silence;
    xdp_multiprog* found = xdp_multiprog__get_from_ifindex(static_cast<int>(ifindex));
    const std::unique_ptr<xdp_multiprog, void (*)(xdp_multiprog*)> programs(
        libxdp_get_error(found) != 0 ? nullptr : found, xdp_multiprog__close);
    std::vector<std::uint32_t> ids;
    if (programs && !xdp_multiprog__is_legacy(programs.get())) {
        for (xdp_program* one = xdp_multiprog__next_prog(nullptr, programs.get()); one != nullptr;
             one = xdp_multiprog__next_prog(one, programs.get())) {
            ids.push_back(xdp_program__id(one));
        }
    }
    __u32 alone = 0;
    if (const int error = bpf_xdp_query_id(static_cast<int>(ifindex), 0, &alone); error != 0) {
        return refusal("asking what XDP runs", -error);
    }
    if (ids.empty() && alone != 0) {
        ids.push_back(alone);
    }
    return ids;
}

} // namespace weir::kernel
