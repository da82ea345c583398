#include "kernel/multi_link.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstddef>

namespace weir::kernel {
namespace {

// struct bpf_link_info as 6.6 has it for BPF_LINK_TYPE_KPROBE_MULTI (include/uapi/linux/bpf.h);
// Debian's header is older.
struct Info {
    __u32 type;
    __u32 id;
    __u32 prog_id;
    __u32 padding;
    __aligned_u64 addresses; // in: where they go to
    __u32 count;             // in: room for so many; out: so many there are
    __u32 flags;
};
static_assert(offsetof(Info, addresses) == offsetof(bpf_link_info, raw_tracepoint));

constexpr std::uint32_t kReturn = 1; // BPF_F_KPROBE_MULTI_RETURN

bool ask(int link, Info& info) {
    __u32 size = sizeof(info);
    return bpf_obj_get_info_by_fd(link, reinterpret_cast<bpf_link_info*>(&info), &size) == 0;
}

} // namespace

MultiLink multi_link(int link) {
    Info counted{};
    if (!ask(link, counted) || counted.count == 0) {
        return {};
    }
    MultiLink found{std::vector<std::uint64_t>(counted.count), (counted.flags & kReturn) != 0};
    Info filled{};
    filled.addresses = reinterpret_cast<__u64>(found.addresses.data());
    filled.count = counted.count; // a link keeps its functions for its life
    if (!ask(link, filled)) {
        found.addresses.clear();
    }
    std::erase(found.addresses, 0U); // hidden (kptr_restrict)
    return found;
}

} // namespace weir::kernel
