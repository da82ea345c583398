#include "kernel/probe_list.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "kernel/bpf.h"
#include "kernel/multi_link.h"
#include "kernel/refusal.h"
#include "kernel/symbols.h"
#include "kernel/tracefs.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;

struct Owner {
    int pid = 0;
    std::string comm;
};

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::string name_of_program(std::uint32_t id) {
    const auto program = program_by_id(id);
    const auto info = program ? program_info(program->get()) : Result<bpf_prog_info>(fail(""));
    return info ? info->name : "";
}

// The number behind "link_id:" in a descriptor's fdinfo; 0: it is no link.
std::uint32_t link_of(const fs::path& fdinfo) {
    std::ifstream file(fdinfo);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("link_id:")) {
            std::uint32_t id = 0;
            const std::size_t at = line.find_first_of("0123456789");
            if (at != std::string::npos) {
                std::from_chars(line.data() + at, line.data() + line.size(), id);
            }
            return id;
        }
    }
    return 0;
}

const char* kind_of(std::uint32_t fd_type) {
    switch (fd_type) {
    case BPF_FD_TYPE_RAW_TRACEPOINT:
        return "raw tracepoint";
    case BPF_FD_TYPE_TRACEPOINT:
        return "tracepoint";
    case BPF_FD_TYPE_KPROBE:
        return "kprobe";
    case BPF_FD_TYPE_KRETPROBE:
        return "kretprobe";
    case BPF_FD_TYPE_UPROBE:
        return "uprobe";
    case BPF_FD_TYPE_URETPROBE:
        return "uretprobe";
    default:
        return "perf event";
    }
}

// What a perf event or a raw tracepoint's descriptor runs; nothing for all others.
void query(const Owner& owner, int fd, std::vector<AttachedProbe>& probes) {
    char name[512] = {};
    __u32 length = sizeof(name), program = 0, type = 0;
    __u64 offset = 0, address = 0;
    if (bpf_task_fd_query(owner.pid, fd, 0, name, &length, &program, &type, &offset, &address) !=
        0) {
        return;
    }
    AttachedProbe probe{.kind = kind_of(type), .where = name, .program = program};
    const bool user = type == BPF_FD_TYPE_UPROBE || type == BPF_FD_TYPE_URETPROBE;
    if (offset > 0 || user) {
        char text[32];
        std::snprintf(text, sizeof(text), "+0x%" PRIx64, static_cast<std::uint64_t>(offset));
        probe.where += text;
    }
    probe.program_name = name_of_program(program);
    probe.pid = owner.pid;
    probe.comm = owner.comm;
    probes.push_back(std::move(probe));
}

// Descriptors of all processes: perf events are probes of their own, links have owners.
std::map<std::uint32_t, Owner> look_at_processes(std::vector<AttachedProbe>& probes) {
    std::map<std::uint32_t, Owner> owners;
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        const std::string name = process.path().filename();
        Owner owner;
        if (std::from_chars(name.data(), name.data() + name.size(), owner.pid).ptr !=
                name.data() + name.size() ||
            owner.pid <= 0) {
            continue;
        }
        owner.comm = first_line(process.path() / "comm");
        std::error_code gone; // a process may end meanwhile
        for (const auto& each : fs::directory_iterator(process.path() / "fd", gone)) {
            const std::string target = fs::read_symlink(each.path(), gone).string();
            const std::string number = each.path().filename();
            if (target.find("perf_event") != std::string::npos) {
                query(owner, std::atoi(number.c_str()), probes);
            } else if (target.find("bpf") != std::string::npos) {
                if (const auto link = link_of(process.path() / "fdinfo" / number); link != 0) {
                    owners.emplace(link, owner);
                }
            }
        }
    }
    return owners;
}

AttachedProbe describe(const bpf_link_info& info, const char* name,
                       const std::optional<Btf>& types) {
    AttachedProbe probe{.program = info.prog_id};
    switch (info.type) {
    case BPF_LINK_TYPE_RAW_TRACEPOINT:
        probe.kind = "raw tracepoint";
        probe.where = name;
        break;
    case BPF_LINK_TYPE_TRACING:
        probe.kind = info.tracing.attach_type == BPF_TRACE_FENTRY  ? "fentry"
                     : info.tracing.attach_type == BPF_TRACE_FEXIT ? "fexit"
                                                                   : "tracing";
        if (types && info.tracing.target_obj_id <= 1) {
            probe.where = types->function_name(info.tracing.target_btf_id);
        }
        break;
    case BPF_LINK_TYPE_KPROBE_MULTI:
        probe.kind = "kprobe.multi";
        break;
    default:
        break;
    }
    return probe;
}

Result<> look_at_links(const std::map<std::uint32_t, Owner>& owners,
                       std::vector<AttachedProbe>& probes) {
    std::optional<Btf> types;
    if (auto read = Btf::of_kernel()) {
        types = *std::move(read);
    }
    const Symbols symbols; // read where a link wants names
    std::uint32_t id = 0;
    while (bpf_link_get_next_id(id, &id) == 0) {
        const Fd link(bpf_link_get_fd_by_id(id));
        char name[128] = {};
        bpf_link_info info{};
        info.raw_tracepoint.tp_name = reinterpret_cast<__u64>(name);
        info.raw_tracepoint.tp_name_len = sizeof(name);
        __u32 size = sizeof(info);
        if (!link) {
            continue; // gone meanwhile
        }
        // The name's place means something else in links of other kinds: ask for the kind first.
        bpf_link_info kind{};
        __u32 kind_size = sizeof(kind);
        if (bpf_obj_get_info_by_fd(link.get(), &kind, &kind_size) != 0) {
            continue;
        }
        if (kind.type == BPF_LINK_TYPE_RAW_TRACEPOINT &&
            bpf_obj_get_info_by_fd(link.get(), &info, &size) == 0) {
            kind = info;
        }
        AttachedProbe probe = describe(kind, name, types);
        if (probe.kind.empty()) {
            continue; // XDP, TC, cgroups: no probe; perf events are told by their descriptors
        }
        probe.program_name = name_of_program(probe.program);
        if (const auto owner = owners.find(id); owner != owners.end()) {
            probe.pid = owner->second.pid;
            probe.comm = owner->second.comm;
        }
        const MultiLink multi =
            kind.type == BPF_LINK_TYPE_KPROBE_MULTI ? multi_link(link.get()) : MultiLink{};
        probe.kind = multi.exit ? "kretprobe.multi" : probe.kind;
        for (const std::uint64_t address : multi.addresses) {
            probe.where = symbols.describe(address);
            probes.push_back(probe);
        }
        if (multi.addresses.empty()) {
            probes.push_back(std::move(probe));
        }
    }
    return {};
}

// "ffffffff81a  k  vfs_read+0x0    [FTRACE]": those without a BPF program, of ftrace or of perf.
void look_at_kprobes(std::vector<AttachedProbe>& probes) {
    std::ifstream file("/sys/kernel/debug/kprobes/list");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string address, kind, where;
        words >> address >> kind >> where;
        if (where.ends_with("+0x0")) {
            where.resize(where.size() - 4);
        }
        const std::string name = kind == "r" ? "kretprobe" : "kprobe";
        const bool known =
            std::any_of(probes.begin(), probes.end(), [&](const AttachedProbe& each) {
                return each.kind == name && each.where == where;
            });
        if (!known) {
            probes.push_back({.kind = name, .where = where});
        }
    }
}

// "vfs_read (1) R I M   tramp: …": all that hooks a function by ftrace, fentry among it.
void look_at_ftrace(std::vector<AttachedProbe>& probes) {
    std::ifstream file("/sys/kernel/tracing/enabled_functions");
    for (std::string line; std::getline(file, line);) {
        const std::string where = line.substr(0, line.find(' '));
        const bool known =
            std::any_of(probes.begin(), probes.end(), [&](const AttachedProbe& each) {
                return each.where == where && each.kind != "tracepoint";
            });
        if (!known) {
            probes.push_back({.kind = "ftrace", .where = where});
        }
    }
}

} // namespace

Result<std::vector<AttachedProbe>> attached_probes() {
    if (!privileged()) {
        return fail("listing probes wants root: other users' descriptors are hidden");
    }
    std::vector<AttachedProbe> probes;
    const auto owners = look_at_processes(probes);
    WEIR_CHECK(look_at_links(owners, probes));
    if (reach_tracefs()) {
        look_at_ftrace(probes);
    }
    look_at_kprobes(probes);
    std::stable_sort(probes.begin(), probes.end(), [](const auto& a, const auto& b) {
        return std::tie(a.kind, a.where) < std::tie(b.kind, b.where);
    });
    return probes;
}

} // namespace weir::kernel
