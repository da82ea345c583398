#include <fmt/format.h>

#include "kernel/attach.h"
#include "verbs/all.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using output::Align;
using output::Json;
using output::Table;

void show_absent(Context& cx) {
    cx.out.text(
        fmt::format("not loaded (pins: {}): `weir load` loads it\n", cx.pins.base().string()));
    cx.out.document({{"loaded", false},
                     {"version", WEIR_VERSION},
                     {"pins", cx.pins.root().string()},
                     {"map_schema", WEIR_SCHEMA},
                     {"generation", 0},
                     {"generations", Json::array()},
                     {"programs", Json::array()},
                     {"interfaces", Json::array()}});
}

Json program_json(const kernel::ProgramInfo& program) {
    return {{"name", program.name},
            {"id", program.id},
            {"tag", program.tag},
            {"pin", program.pin},
            {"run_count", program.run_count},
            {"run_time_ns", program.run_time_ns},
            {"verified_insns", program.verified_insns},
            {"jited_bytes", program.jited_bytes}};
}

// Mean nanoseconds of one run; the kernel counts only with kernel.bpf_stats_enabled.
std::string run_time(const kernel::ProgramInfo& program) {
    return program.run_count == 0
               ? "-"
               : fmt::format("{:.0f}", static_cast<double>(program.run_time_ns) /
                                           static_cast<double>(program.run_count));
}

Table program_table(const std::vector<kernel::ProgramInfo>& programs) {
    Table table({{"program"},
                 {"id", Align::kRight},
                 {"tag"},
                 {"runs", Align::kRight},
                 {"ns/run", Align::kRight},
                 {"pin"}});
    for (const kernel::ProgramInfo& program : programs) {
        table.row({program.name, std::to_string(program.id), program.tag,
                   std::to_string(program.run_count), run_time(program), program.pin});
    }
    return table;
}

Table limits_table(const model::Limits& limits, const model::Config& config) {
    std::size_t backends = 0;
    for (const model::Service& service : config.balancer.services) {
        backends += service.backends.size();
    }
    Table table({{"what"}, {"used", Align::kRight}, {"limit", Align::kRight}});
    const auto row = [&](const char* what, std::size_t used, std::uint32_t limit) {
        table.row({what, std::to_string(used), std::to_string(limit)});
    };
    row("rules", config.ingress.rules.size() + config.egress.rules.size(), limits.rules);
    row("sets", config.sets.size(), SETS_MAX);
    row("services", config.balancer.services.size(), limits.services);
    row("backends", backends, limits.backends);
    return table;
}

Json limits_json(const model::Limits& limits) {
    return {{"rules", limits.rules},
            {"nodes", limits.nodes},
            {"set_elements", limits.set_elements},
            {"services", limits.services},
            {"backends", limits.backends},
            {"buckets", limits.buckets},
            {"flows", limits.flows}};
}

Json generations_json(const std::vector<kernel::Kept>& generations) {
    Json list = Json::array();
    for (const kernel::Kept& kept : generations) {
        list.push_back({{"number", kept.number}, {"live", kept.live}});
    }
    return list;
}

// One object an interface, its hooks inside.
Json interfaces_json(const std::vector<kernel::Attachment>& attachments) {
    Json list = Json::array();
    for (const kernel::Attachment& attachment : attachments) {
        if (list.empty() || list.back()["ifindex"] != attachment.ifindex) {
            list.push_back({{"name", attachment.device},
                            {"ifindex", attachment.ifindex},
                            {"role", role_name(attachment.as)},
                            {"hooks", Json::array()}});
        }
        Json hook = attachment_json(attachment);
        for (const char* of_interface : {"name", "ifindex", "role"}) {
            hook.erase(of_interface);
        }
        list.back()["hooks"].push_back(std::move(hook));
    }
    return list;
}

std::string kept_text(const std::vector<kernel::Kept>& generations, std::uint64_t live) {
    for (const kernel::Kept& kept : generations) {
        if (kept.number < live) {
            return fmt::format(" (`weir rollback` goes back to {})", kept.number);
        }
    }
    return "";
}

Result<> run_status(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_CHECK(need_rights(cx));
    WEIR_CHECK(cx.pins.check_schema());
    if (!cx.pins.loaded()) {
        show_absent(cx);
        return {};
    }
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto live, read_live(session.node));
    WEIR_TRY(const auto generations, session.node.generations());
    WEIR_TRY(const auto programs, session.node.programs());
    WEIR_TRY(const auto attachments, kernel::attachments(session.node));

    Table interfaces = attachment_table();
    for (const kernel::Attachment& attachment : attachments) {
        add_row(interfaces, attachment);
    }
    cx.out.text(
        fmt::format("weir {}, map schema {}, pinned under {}\ngeneration {}{}\n\n{}\n{}\n{}",
                    WEIR_VERSION, WEIR_SCHEMA, cx.pins.root().string(), live.generation,
                    kept_text(generations, live.generation),
                    interfaces.empty() ? "no interface attached\n" : interfaces.to_string(),
                    program_table(programs).to_string(),
                    limits_table(session.node.limits(), live.saved.config).to_string()));

    Json program_list = Json::array();
    for (const kernel::ProgramInfo& program : programs) {
        program_list.push_back(program_json(program));
    }
    cx.out.document({{"loaded", true},
                     {"version", WEIR_VERSION},
                     {"pins", cx.pins.root().string()},
                     {"map_schema", WEIR_SCHEMA},
                     {"generation", live.generation},
                     {"generations", generations_json(generations)},
                     {"limits", limits_json(session.node.limits())},
                     {"programs", program_list},
                     {"interfaces", interfaces_json(attachments)}});
    return check_attached(attachments);
}

} // namespace

const Verb status{.path = "status",
                  .operands = "",
                  .summary = "show interfaces, programs, generation and limits",
                  .details =
                      R"(Run time is counted by the kernel while kernel.bpf_stats_enabled is 1. Exit
status 1 if something that was attached is gone from its hook.

  sysctl kernel.bpf_stats_enabled=1
  weir status --json | jq -r '.programs[] | select(.name == "weir_ingress").pin'
)",
                  .run = run_status};

} // namespace weir::verbs
