// The bench's scenarios, with the instructions that the committed table has of them.
#include <fmt/format.h>

#include "bench/packet/instructions.h"
#include "bench/packet/scenario.h"
#include "bench/packet/test_bed.h"
#include "pages.h"

namespace weir::docs {
namespace {

std::string instructions(const bench::InstructionTable& table, const char* series,
                         const std::string& name) {
    const auto count = table.count(series, name);
    return count ? std::to_string(*count) : "";
}

} // namespace

std::string scenarios_page() {
    const auto table = bench::InstructionTable::parse(source("bench/results/instructions.json"));
    if (!table) {
        return table.error().message();
    }
    std::string text =
        "# Scenarios of the bench\n\n"
        "What `weir bench run` measures, in a Weir of its own that is attached nowhere. Every "
        "packet must meet the answer that stands here, or there is no figure. Generated rules are "
        "the same in every run.\n\n"
        "The last two columns are instructions that a packet costs, counted by `weir bench insns` "
        "in QEMU under Debian's kernels 6.1 and 6.12, without re-arming and the call. A test fails "
        "when one grows.\n\n"
        "| scenario | what | answer | 6.1 | 6.12 |\n|---|---|---|---:|---:|\n";
    for (const bench::SetUp& set_up : bench::scenarios()) {
        for (const bench::Case& each : set_up.cases) {
            const auto type = each.program == kernel::Program::kIngress ? bench::ProgramType::kXdp
                                                                        : bench::ProgramType::kTc;
            text += fmt::format("| `{}` | {} | {} | {} | {} |\n", each.name, cell(each.what),
                                bench::action_name(type, each.expect),
                                instructions(*table, "6.1", each.name),
                                instructions(*table, "6.12", each.name));
        }
    }
    return text;
}

} // namespace weir::docs
