#include "verbs/all.h"
#include "verbs/listing.h"
#include "verbs/state.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<> run_export(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto live, read_live(session.node));
    cx.out.text(text::print_config(live.saved.config));
    cx.out.document({{"generation", live.generation}, {"config", config_json(live.saved.config)}});
    return {};
}

} // namespace

const Verb export_config{.path = "export",
                         .operands = "",
                         .summary = "print the configuration in force as YAML",
                         .details = R"(`weir apply` of what is printed changes nothing.

  weir export >/etc/weir/weir.yaml
)",
                         .run = run_export};

} // namespace weir::verbs
