#include "verbs/all.h"
#include "verbs/state.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<> run_unload(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_CHECK(need_rights(cx));
    WEIR_CHECK(cx.pins.check_schema());
    if (!cx.pins.loaded()) {
        cx.out.text("not loaded\n");
        cx.out.document({{"unloaded", false}});
        return {};
    }
    WEIR_TRY(const auto lock, kernel::Lock::take(cx.pins, kernel::Lock::Mode::kExclusive));
    WEIR_CHECK(kernel::unload(cx.pins));
    cx.out.text("unloaded\n");
    cx.out.document({{"unloaded", true}});
    return {};
}

} // namespace

const Verb unload{
    .path = "unload",
    .operands = "",
    .summary = "remove programs and maps from the kernel",
    .details = R"(The configuration, counters and flows are gone with them: `weir export` first if
they are to come back. Refused while an interface is attached.

  weir export >weir.yaml && weir detach --all && weir unload
)",
    .run = run_unload};

} // namespace weir::verbs
