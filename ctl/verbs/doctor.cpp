#include "kernel/probe.h"
#include "verbs/all.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

using Level = kernel::Finding::Level;

std::string_view level_word(Level level) {
    switch (level) {
    case Level::kOk:
        return "ok";
    case Level::kLimited:
        return "limited";
    case Level::kBroken:
        return "broken";
    }
    return "broken";
}

Result<> run_doctor(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    output::Table table({{"what"}, {"is"}, {"found"}});
    std::string remarks;
    output::Json list = output::Json::array();
    std::vector<std::string> broken;
    for (const kernel::Finding& finding : kernel::examine()) {
        const std::string level(level_word(finding.level));
        table.row({finding.what, level, finding.found});
        if (!finding.consequence.empty()) {
            remarks += finding.what + ": " + finding.consequence +
                       (finding.mend.empty() ? "" : "; mend: " + finding.mend) + "\n";
        }
        list.push_back({{"what", finding.what},
                        {"level", level},
                        {"found", finding.found},
                        {"consequence", finding.consequence},
                        {"mend", finding.mend}});
        if (finding.level == Level::kBroken) {
            broken.push_back(finding.what);
        }
    }
    cx.out.text(table.to_string() + (remarks.empty() ? "" : "\n" + remarks));
    cx.out.document({{"findings", list}});
    if (!broken.empty()) {
        return fail("broken: " + join(broken, ", "));
    }
    return {};
}

} // namespace

const Verb doctor{
    .path = "doctor",
    .operands = "",
    .summary = "examine kernel and drivers, and say what is missing and what it costs",
    .details = R"(Looks and tries, and leaves nothing behind. Exit status 1 if something that Weir
cannot do without is missing.

  weir doctor
)",
    .run = run_doctor};

} // namespace weir::verbs
