#include "kernel/probe_links.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <tuple>

#include "kernel/bpf.h"
#include "kernel/file_symbols.h"
#include "kernel/multi_link.h"
#include "kernel/perf_probe.h"
#include "kernel/probe_target.h"

namespace weir::kernel {
namespace {

// Of newer kernels than Debian's header (enum bpf_link_type).
constexpr std::uint32_t kUprobeMulti = 12; // BPF_LINK_TYPE_UPROBE_MULTI

// The name that the links of some kinds write to where they are told: it lies in other places for
// each of them.
std::string named(int link, decltype(bpf_link_info::type) type) {
    char name[128] = {};
    bpf_link_info info{};
    if (type == BPF_LINK_TYPE_ITER) {
        info.iter.target_name = reinterpret_cast<__u64>(name);
        info.iter.target_name_len = sizeof(name);
    } else {
        info.raw_tracepoint.tp_name = reinterpret_cast<__u64>(name);
        info.raw_tracepoint.tp_name_len = sizeof(name);
    }
    __u32 size = sizeof(info);
    return bpf_obj_get_info_by_fd(link, &info, &size) == 0 ? name : "";
}

// A link of many functions is a probe at each of them.
std::vector<AttachedProbe> each_function(int link, const Symbols& symbols) {
    const MultiLink multi = multi_link(link);
    const char* kind = multi.exit ? "kretprobe.multi" : "kprobe.multi";
    std::vector<AttachedProbe> probes;
    for (const std::uint64_t address : multi.addresses) {
        probes.push_back({.kind = kind, .where = symbols.describe(address)});
    }
    if (probes.empty()) {
        probes.push_back({.kind = kind});
    }
    return probes;
}

std::vector<AttachedProbe> each_place(int link, FileSymbols& files) {
    const UserMultiLink multi = user_multi_link(link);
    const char* kind = multi.exit ? "uretprobe.multi" : "uprobe.multi";
    std::vector<AttachedProbe> probes;
    for (const std::uint64_t offset : multi.offsets) {
        // The kernel tells the path as we see the file.
        probes.push_back({.kind = kind,
                          .where = files.describe(0, multi.file, offset),
                          .file = multi.file,
                          .offset = offset});
    }
    if (probes.empty()) {
        probes.push_back({.kind = kind});
    }
    return probes;
}

// The descriptor's event that is this link's; none: it has none that lives. Before Linux 6.6 a link
// does not tell its place, and a sample's descriptor never tells its program.
std::vector<AttachedProbe>::iterator same_event(std::vector<AttachedProbe>& events,
                                                const AttachedProbe& link) {
    const bool nothing_told = link.kind == kPerfEvent && link.where.empty();
    const auto same = std::find_if(events.begin(), events.end(), [&](const AttachedProbe& event) {
        return event.program == link.program &&
               (nothing_told || std::tie(event.kind, event.where, event.file, event.offset) ==
                                    std::tie(link.kind, link.where, link.file, link.offset));
    });
    if (same != events.end() || link.kind != kPerfEvent) {
        return same;
    }
    return std::find_if(events.begin(), events.end(), [&](const AttachedProbe& event) {
        return event.kind == kPerfEvent && event.pid == link.pid;
    });
}

class Links {
public:
    Links(Descriptors held, const Symbols& symbols)
        : held_(std::move(held)), pins_(look_at_pins()), symbols_(symbols) {}

    std::vector<AttachedProbe> all() {
        std::uint32_t id = 0;
        while (bpf_link_get_next_id(id, &id) == 0) {
            const Fd link(bpf_link_get_fd_by_id(id));
            bpf_link_info info{};
            __u32 size = sizeof(info);
            if (!link || bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) {
                continue; // gone meanwhile
            }
            for (AttachedProbe& probe : describe(link.get(), info)) {
                add(std::move(probe), info);
            }
        }
        // Events without a link, and those whose links are hidden.
        std::move(held_.perf_events.begin(), held_.perf_events.end(), std::back_inserter(probes_));
        return std::move(probes_);
    }

private:
    std::vector<AttachedProbe> describe(int link, const bpf_link_info& info) {
        switch (info.type) {
        case BPF_LINK_TYPE_RAW_TRACEPOINT:
            return {{.kind = "raw tracepoint", .where = named(link, info.type)}};
        case BPF_LINK_TYPE_ITER:
            return {{.kind = "iter", .where = named(link, info.type)}};
        case BPF_LINK_TYPE_TRACING: {
            const auto program = program_by_id(info.prog_id);
            const auto its =
                program ? program_info(program->get()) : Result<bpf_prog_info>(fail(""));
            return {{.kind = kind_of_tracing(info, its ? *its : bpf_prog_info{}),
                     .where = its ? targets_.name(info, *its) : ""}};
        }
        case BPF_LINK_TYPE_PERF_EVENT:
            return {perf_probe_of_link(link, symbols_)};
        case BPF_LINK_TYPE_KPROBE_MULTI:
            return each_function(link, symbols_);
        case kUprobeMulti:
            return each_place(link, files_);
        default:
            return {}; // XDP, TC, cgroups: no probe
        }
    }

    void add(AttachedProbe probe, const bpf_link_info& link) {
        probe.program = link.prog_id;
        if (const auto holder = held_.links.find(link.id); holder != held_.links.end()) {
            probe.pid = holder->second.pid;
            probe.comm = holder->second.comm;
        }
        if (const auto pin = pins_.find(link.id); pin != pins_.end()) {
            probe.pin = pin->second;
        }
        if (link.type == BPF_LINK_TYPE_PERF_EVENT) {
            auto& events = held_.perf_events;
            if (const auto event = same_event(events, probe); event != events.end()) {
                AttachedProbe both = probe.where.empty() && probe.file.empty() ? *event : probe;
                both.program = probe.program;
                both.pin = probe.pin;
                both.pid = event->pid;
                both.comm = event->comm;
                probe = std::move(both);
                events.erase(event);
            }
        }
        probes_.push_back(std::move(probe));
    }

    Descriptors held_;
    const std::map<std::uint32_t, std::string> pins_;
    const Symbols& symbols_;
    FileSymbols files_;
    ProbeTargets targets_;
    std::vector<AttachedProbe> probes_;
};

} // namespace

std::vector<AttachedProbe> look_at_links(Descriptors held, const Symbols& symbols) {
    return Links(std::move(held), symbols).all();
}

} // namespace weir::kernel
