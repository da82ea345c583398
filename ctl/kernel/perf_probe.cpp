#include "kernel/perf_probe.h"

#include <bpf/bpf.h>
#include <linux/limits.h>
#include <linux/perf_event.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace weir::kernel {
namespace {

// struct bpf_link_info of BPF_LINK_TYPE_PERF_EVENT as 6.7 has it (include/uapi/linux/bpf.h);
// Debian's header is older.
struct LinkInfo {
    __u32 type;
    __u32 id;
    __u32 prog_id;
    __u32 padding;
    __u32 probe; // enum bpf_perf_event_type
    __u32 more_padding;
    union {
        struct {
            __aligned_u64 name; // in: where it goes to: of a file, a function or a tracepoint
            __u32 name_length;  // in: room
            __u32 offset;       // from the beginning of the file or of the function
            __u64 address;      // of a kprobe
            __u64 missed;       // by a kprobe
        };
        struct {
            __u64 config; // as in struct perf_event_attr
            __u32 event;
        } sample;
    };
};
static_assert(offsetof(LinkInfo, probe) == offsetof(bpf_link_info, raw_tracepoint));

enum : __u32 { kUprobe = 1, kUretprobe, kKprobe, kKretprobe, kTracepoint, kSample };

AttachedProbe probe_in_file(const char* kind, const char* file, std::uint64_t offset) {
    return {.kind = kind, .file = file, .offset = offset};
}

// A kprobe that was placed by address has no name.
AttachedProbe in_kernel(const char* kind, std::string name, std::uint64_t offset,
                        std::uint64_t address, const Symbols& symbols) {
    if (name.empty() && address != 0) {
        name = symbols.describe(address);
    } else if (offset > 0) {
        char text[32];
        std::snprintf(text, sizeof(text), "+0x%" PRIx64, offset);
        name += text;
    }
    return {.kind = kind, .where = name};
}

// The performance monitoring unit that has that number. Some have no name: the clocks' own, which
// newer kernels give them.
std::string name_of_unit(std::uint32_t type) {
    std::error_code none;
    for (const auto& unit :
         std::filesystem::directory_iterator("/sys/bus/event_source/devices", none)) {
        std::ifstream file(unit.path() / "type");
        if (std::uint32_t its = 0; file >> its && its == type) {
            return unit.path().filename().string();
        }
    }
    return "type " + std::to_string(type);
}

// As perf(1) names them, in the order of enum perf_hw_id and enum perf_sw_ids.
std::string name_of_sample(std::uint32_t type, std::uint64_t config) {
    constexpr std::array kHardware = {"cpu-cycles",
                                      "instructions",
                                      "cache-references",
                                      "cache-misses",
                                      "branches",
                                      "branch-misses",
                                      "bus-cycles",
                                      "stalled-cycles-frontend",
                                      "stalled-cycles-backend",
                                      "ref-cycles"};
    constexpr std::array kSoftware = {
        "cpu-clock",        "task-clock",   "page-faults",  "context-switches",
        "cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
        "emulation-faults", "dummy",        "bpf-output",   "cgroup-switches"};
    if (type == PERF_TYPE_HARDWARE && config < kHardware.size()) {
        return kHardware[config];
    }
    if (type == PERF_TYPE_SOFTWARE && config < kSoftware.size()) {
        return kSoftware[config];
    }
    char text[32];
    std::snprintf(text, sizeof(text), "/config=0x%" PRIx64 "/", config);
    return name_of_unit(type) + text;
}

} // namespace

AttachedProbe perf_probe_of_descriptor(int pid, int fd, const Symbols& symbols) {
    char name[PATH_MAX] = {};
    __u32 length = sizeof(name), program = 0, type = 0;
    __u64 offset = 0, address = 0;
    AttachedProbe probe;
    if (bpf_task_fd_query(pid, fd, 0, name, &length, &program, &type, &offset, &address) != 0) {
        // Only a sample's program is answered so (kernel/trace/bpf_trace.c).
        probe.kind = errno == EOPNOTSUPP ? kPerfEvent : "";
        return probe;
    }
    switch (type) {
    case BPF_FD_TYPE_TRACEPOINT:
        probe = {.kind = "tracepoint", .where = name};
        break;
    case BPF_FD_TYPE_KPROBE:
        probe = in_kernel("kprobe", name, offset, address, symbols);
        break;
    case BPF_FD_TYPE_KRETPROBE:
        probe = in_kernel("kretprobe", name, offset, address, symbols);
        break;
    case BPF_FD_TYPE_UPROBE:
        probe = probe_in_file("uprobe", name, offset);
        break;
    case BPF_FD_TYPE_URETPROBE:
        probe = probe_in_file("uretprobe", name, offset);
        break;
    default:
        probe.kind = kPerfEvent;
    }
    probe.program = program;
    return probe;
}

AttachedProbe perf_probe_of_link(int link, const Symbols& symbols) {
    char name[PATH_MAX] = {};
    LinkInfo info{};
    info.name = reinterpret_cast<__u64>(name);
    info.name_length = sizeof(name);
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(link, reinterpret_cast<bpf_link_info*>(&info), &size) != 0) {
        return {.kind = kPerfEvent};
    }
    switch (info.probe) {
    case kUprobe:
        return probe_in_file("uprobe", name, info.offset);
    case kUretprobe:
        return probe_in_file("uretprobe", name, info.offset);
    case kKprobe:
        return in_kernel("kprobe", name, info.offset, info.address, symbols);
    case kKretprobe:
        return in_kernel("kretprobe", name, info.offset, info.address, symbols);
    case kTracepoint:
        return {.kind = "tracepoint", .where = name};
    case kSample:
        return {.kind = kPerfEvent, .where = name_of_sample(info.sample.event, info.sample.config)};
    default:
        return {.kind = kPerfEvent};
    }
}

std::uint64_t missed_by_kprobe_link(int link) {
    LinkInfo info{};
    __u32 size = sizeof(info);
    const bool told =
        bpf_obj_get_info_by_fd(link, reinterpret_cast<bpf_link_info*>(&info), &size) == 0 &&
        info.type == BPF_LINK_TYPE_PERF_EVENT;
    return told && (info.probe == kKprobe || info.probe == kKretprobe) ? info.missed : 0;
}

} // namespace weir::kernel
