#include <fmt/format.h>

#include "compile/images.h"
#include "verbs/all.h"
#include "verbs/state.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<> run_rollback(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kExclusive));
    WEIR_TRY(const auto live, read_live(session.node));
    text::SavedState before = live.others.empty() ? text::SavedState{} : live.others.front();
    model::keep_rings(before.config.balancer, live.saved.config.balancer);
    WEIR_TRY(auto balancer, compile::compile_balancer(before.config, session.node.limits()));
    WEIR_TRY(const auto number,
             session.node.rollback(std::move(balancer), text::save_state(before)));
    cx.out.text(fmt::format("generation {} is in force again\n", number));
    cx.out.document({{"changed", true}, {"generation", number}});
    return {};
}

} // namespace

const Verb rollback{
    .path = "rollback",
    .operands = "",
    .summary = "put the previous configuration in force again",
    .details = R"(`weir status` says which generation that is. What was rolled back is given up with
the next change. Connections stay where they are.

  weir rollback
)",
    .run = run_rollback};

} // namespace weir::verbs
