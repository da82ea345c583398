#include <fmt/format.h>

#include "kernel/probe_list.h"
#include "verbs/all.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<> run_probes(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const auto probes, kernel::attached_probes());
    output::Table table({{"KIND"},
                         {"WHERE"},
                         {"PROG", output::Align::kRight},
                         {"NAME"},
                         {"PID", output::Align::kRight},
                         {"COMM"},
                         {"PINNED AT"}});
    output::Json list = output::Json::array();
    for (const kernel::AttachedProbe& each : probes) {
        const auto number = [](std::uint64_t value) {
            return value == 0 ? "-" : std::to_string(value);
        };
        table.row({each.kind, each.where.empty() ? "-" : each.where, number(each.program),
                   each.program_name.empty() ? "-" : each.program_name,
                   number(static_cast<std::uint64_t>(each.pid)),
                   each.comm.empty() ? "-" : output::one_line(each.comm),
                   each.pin.empty() ? "-" : each.pin});
        output::Json json{{"kind", each.kind}};
        if (!each.where.empty()) {
            json["where"] = each.where;
        }
        if (!each.file.empty()) {
            json["file"] = each.file;
            json["offset"] = each.offset;
        }
        if (each.program != 0) {
            json["program"] = each.program;
            json["name"] = each.program_name;
        }
        if (each.pid != 0) {
            json["pid"] = each.pid;
            json["comm"] = each.comm;
        }
        if (!each.pin.empty()) {
            json["pin"] = each.pin;
        }
        list.push_back(std::move(json));
    }
    cx.out.text(probes.empty() ? "no probes\n" : table.to_string());
    cx.out.document({{"probes", std::move(list)}});
    return {};
}

} // namespace

const Verb probes{
    .path = "probes",
    .operands = "",
    .summary = "every probe that is in the kernel now, anybody's, with its owner",
    .details =
        R"(kprobes, uprobes, tracepoints, fentry, fexit, fmod_ret, LSM, freplace, iterators, kprobe.multi,
uprobe.multi, raw tracepoints, perf events that run a program, and functions that ftrace hooks. WHERE
is a function, PROGRAM:FUNCTION in a BPF program, or FILE:FUNCTION (FILE+OFFSET where the file names none).
Those without a program or a process are the kernel's own, or of ftrace; PINNED AT is what keeps one
whose process has ended. kprobe.multi has a line for each of its functions from Linux 6.6 on,
uprobe.multi for each of its places from 6.8 on; before, one without a name. Before 6.6 a pinned perf
event tells its program alone.

  weir probes
)",
    .run = run_probes};

} // namespace weir::verbs
