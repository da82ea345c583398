#include "verbs/all.h"
#include "verbs/listing.h"
#include "verbs/set_words.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

Result<> run_set_list(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(auto config, live_config(session.node));
    if (!words.empty()) {
        WEIR_CHECK(find_set(config, words[0]));
    }
    output::Json sets = output::Json::array();
    for (const auto& [name, set] : config.sets) {
        if (words.empty() || words[0] == name) {
            cx.out.text(set_block(set));
            sets.push_back(set_json(set));
        }
    }
    cx.out.document({{"sets", sets}});
    return {};
}

} // namespace

const Verb set_list{.path = "set list",
                    .operands = "[NAME]",
                    .summary = "list sets with their elements",
                    .details = R"(As `nft list sets` prints them.

  weir set list blocked
)",
                    .run = run_set_list};

} // namespace weir::verbs
