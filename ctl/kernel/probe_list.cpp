#include "kernel/probe_list.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "kernel/bpf.h"
#include "kernel/file_symbols.h"
#include "kernel/probe_holders.h"
#include "kernel/probe_links.h"
#include "kernel/refusal.h"
#include "kernel/symbols.h"
#include "kernel/tracefs.h"

namespace weir::kernel {
namespace {

// A probe at a function's entry is behind the landing pad for indirect branches (endbr64, 4 octets)
// where the kernel is built with them.
std::string function_of(const std::string& place) {
    for (const std::string_view entry : {"+0x0", "+0x4"}) {
        if (place.ends_with(entry)) {
            return place.substr(0, place.size() - entry.size());
        }
    }
    return place;
}

// Functions that are probed already. One may have several names, and each list tells another.
class Functions {
public:
    Functions(const std::vector<AttachedProbe>& probes, std::initializer_list<std::string> kinds,
              const Symbols& symbols)
        : symbols_(symbols) {
        for (const AttachedProbe& probe : probes) {
            if (std::find(kinds.begin(), kinds.end(), probe.kind) != kinds.end()) {
                names_.insert(probe.where);
                names_.insert(function_of(probe.where));
            }
        }
    }
    bool has(const std::string& name) {
        if (names_.contains(name) || names_.empty()) {
            return names_.contains(name);
        }
        if (addresses_.empty()) {
            for (const std::string& each : names_) {
                addresses_.insert(symbols_.address(each).value_or(0));
            }
        }
        const auto address = symbols_.address(name);
        return address && addresses_.contains(*address);
    }

private:
    const Symbols& symbols_;
    std::unordered_set<std::string> names_;
    std::unordered_set<std::uint64_t> addresses_; // of those, when first asked for
};

// "ffffffff81a  k  vfs_read+0x4    [FTRACE]": those without a BPF program, of ftrace or of perf.
void look_at_kprobes(const Symbols& symbols, std::vector<AttachedProbe>& probes) {
    Functions entries(probes, {"kprobe"}, symbols), returns(probes, {"kretprobe"}, symbols);
    std::ifstream file("/sys/kernel/debug/kprobes/list");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string address, type, where;
        words >> address >> type >> where;
        const bool at_return = type == "r";
        if (at_return || where.ends_with("+0x0") || line.find("[FTRACE]") != std::string::npos) {
            where = function_of(where);
        }
        if (!(at_return ? returns : entries).has(where)) {
            probes.push_back({.kind = at_return ? "kretprobe" : "kprobe", .where = where});
        }
    }
}

// "vfs_read (1) R I M   tramp: …": all that hooks a function by ftrace, fentry among it.
void look_at_ftrace(const Symbols& symbols, std::vector<AttachedProbe>& probes) {
    Functions hooked(probes,
                     {"kprobe", "kretprobe", "kprobe.multi", "kretprobe.multi", "fentry", "fexit",
                      "fmod_ret", "lsm"},
                     symbols);
    std::ifstream file("/sys/kernel/tracing/enabled_functions");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('\t')) {
            continue; // "direct-->bpf_trampoline_…": more of the line before
        }
        const std::string where = line.substr(0, line.find(' '));
        if (!hooked.has(where)) {
            probes.push_back({.kind = "ftrace", .where = where});
        }
    }
}

void name(std::vector<AttachedProbe>& probes) {
    FileSymbols files;
    for (AttachedProbe& probe : probes) {
        if (probe.where.empty() && !probe.file.empty()) {
            probe.where = files.describe(probe.pid, probe.file, probe.offset);
        }
        const auto program = program_by_id(probe.program);
        const auto info = program ? program_info(program->get()) : Result<bpf_prog_info>(fail(""));
        probe.program_name = info ? info->name : "";
    }
}

} // namespace

Result<std::vector<AttachedProbe>> attached_probes() {
    if (!privileged()) {
        return fail("listing probes wants root: other users' descriptors are hidden");
    }
    const Symbols symbols; // read where a probe wants names
    auto probes = look_at_links(look_at_descriptors(symbols), symbols);
    if (reach_debugfs()) {
        look_at_kprobes(symbols, probes);
    }
    if (reach_tracefs()) {
        look_at_ftrace(symbols, probes);
    }
    name(probes);
    std::stable_sort(probes.begin(), probes.end(), [](const auto& a, const auto& b) {
        return std::tie(a.kind, a.where) < std::tie(b.kind, b.where);
    });
    return probes;
}

} // namespace weir::kernel
