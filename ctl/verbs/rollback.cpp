#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/state.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<> run_rollback(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kExclusive));
    WEIR_TRY(const auto number, session.node.rollback());
    cx.out.text(fmt::format("generation {} is in force again\n", number));
    cx.out.document({{"changed", true}, {"generation", number}});
    return {};
}

} // namespace

const Verb rollback{
    .path = "rollback",
    .operands = "",
    .summary = "put the previous configuration in force again",
    .details = R"(At once: its tables are still there. `weir status` says which generation that is.
What was rolled back is given up with the next change.

  weir rollback
)",
    .run = run_rollback};

} // namespace weir::verbs
