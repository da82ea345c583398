#include "kernel/multi_link.h"

#include <bpf/bpf.h>
#include <linux/limits.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace weir::kernel {
namespace {

// struct bpf_link_info as 6.8 has it (include/uapi/linux/bpf.h); Debian's header is older.
struct Head {
    __u32 type;
    __u32 id;
    __u32 prog_id;
    __u32 padding;
};
static_assert(sizeof(Head) == offsetof(bpf_link_info, raw_tracepoint));

struct KernelInfo : Head {   // BPF_LINK_TYPE_KPROBE_MULTI
    __aligned_u64 addresses; // in: where they go to
    __u32 count;             // in: room for so many; out: so many there are
    __u32 flags;
    __u64 missed;
};

struct UserInfo : Head {   // BPF_LINK_TYPE_UPROBE_MULTI
    __aligned_u64 path;    // in: where it goes to
    __aligned_u64 offsets; // in: where they go to
    __aligned_u64 reference_counters;
    __aligned_u64 cookies;
    __u32 path_size; // in: room; out: octets with the zero
    __u32 count;     // in: room for so many; out: so many there are
    __u32 flags;
    __u32 pid;
};

// BPF_F_KPROBE_MULTI_RETURN and BPF_F_UPROBE_MULTI_RETURN
constexpr std::uint32_t kReturn = 1;

template <typename Info>
bool ask(int link, Info& info) {
    __u32 size = sizeof(info);
    return bpf_obj_get_info_by_fd(link, reinterpret_cast<bpf_link_info*>(&info), &size) == 0;
}

} // namespace

MultiLink multi_link(int link) {
    KernelInfo counted{};
    if (!ask(link, counted) || counted.count == 0) {
        return {};
    }
    MultiLink found{std::vector<std::uint64_t>(counted.count), (counted.flags & kReturn) != 0};
    KernelInfo filled{};
    filled.addresses = reinterpret_cast<__u64>(found.addresses.data());
    filled.count = counted.count; // a link keeps its functions for its life
    if (!ask(link, filled)) {
        found.addresses.clear();
    }
    std::erase(found.addresses, 0U); // hidden (kptr_restrict)
    return found;
}

std::uint64_t missed_by_multi_link(int link) {
    KernelInfo info{};
    return ask(link, info) && info.type == BPF_LINK_TYPE_KPROBE_MULTI ? info.missed : 0;
}

UserMultiLink user_multi_link(int link) {
    UserInfo counted{};
    if (!ask(link, counted) || counted.count == 0) {
        return {};
    }
    UserMultiLink found{.file = std::string(PATH_MAX, '\0'),
                        .offsets = std::vector<std::uint64_t>(counted.count),
                        .exit = (counted.flags & kReturn) != 0};
    UserInfo filled{};
    filled.path = reinterpret_cast<__u64>(found.file.data());
    filled.path_size = static_cast<__u32>(found.file.size());
    filled.offsets = reinterpret_cast<__u64>(found.offsets.data());
    filled.count = counted.count;
    if (!ask(link, filled)) {
        return {.file = {}, .offsets = {}, .exit = found.exit};
    }
    found.file.resize(found.file.find('\0'));
    return found;
}

} // namespace weir::kernel
