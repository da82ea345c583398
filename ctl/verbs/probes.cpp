#include <fmt/format.h>

#include "kernel/probe_list.h"
#include "verbs/all.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<> run(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const auto probes, kernel::attached_probes());
    output::Table table({{"KIND"},
                         {"WHERE"},
                         {"PROG", output::Align::kRight},
                         {"NAME"},
                         {"PID", output::Align::kRight},
                         {"COMM"}});
    output::Json list = output::Json::array();
    for (const kernel::AttachedProbe& each : probes) {
        const auto number = [](std::uint64_t value) {
            return value == 0 ? "-" : std::to_string(value);
        };
        table.row({each.kind, each.where.empty() ? "-" : each.where, number(each.program),
                   each.program_name.empty() ? "-" : each.program_name,
                   number(static_cast<std::uint64_t>(each.pid)),
                   each.comm.empty() ? "-" : output::one_line(each.comm)});
        output::Json json{{"kind", each.kind}};
        if (!each.where.empty()) {
            json["where"] = each.where;
        }
        if (each.program != 0) {
            json["program"] = each.program;
            json["name"] = each.program_name;
        }
        if (each.pid != 0) {
            json["pid"] = each.pid;
            json["comm"] = each.comm;
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
        R"(kprobes, uprobes, tracepoints, fentry and fexit, kprobe.multi, raw tracepoints, and
functions that ftrace hooks. Those without a program or a process are the kernel's own, or of ftrace.
A kprobe.multi link has a line for each of its functions from Linux 6.6 on; before, one without a name.

  weir probes
)",
    .run = run};

} // namespace weir::verbs
