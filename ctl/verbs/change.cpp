#include "verbs/change.h"

#include <fmt/format.h>
#include <random>
#include <set>

#include "compile/images.h"

namespace weir::verbs {
namespace {

// A whole configuration, ready to be put in force.
struct Prepared {
    text::SavedState state;
    model::FreshSlots fresh;
    compile::Images images;
};

// What flows are hashed with is made up once, and kept unless another one is given.
Seed new_seed() {
    std::random_device random;
    return {std::uint64_t{random()} << 32 | random()};
}

Result<Prepared> prepare(const kernel::Node& node, const Live& live, model::Config wanted) {
    Prepared ready;
    ready.state.config = std::move(wanted);
    if (model::Balancer& balancer = ready.state.config.balancer;
        !balancer.seed && !balancer.services.empty()) {
        balancer.seed = new_seed();
    }
    ready.state.ids.next_handle = live.next_handle;
    WEIR_CHECK(model::check(ready.state.config, node.limits()));
    std::vector<const model::Config*> kept;
    for (const text::SavedState& other : live.others) {
        kept.push_back(&other.config);
    }
    WEIR_TRY(ready.fresh, model::assign_identities(ready.state.config, live.saved.config, kept,
                                                   node.limits(), ready.state.ids));
    WEIR_TRY(ready.images, compile::compile(ready.state.config, node.limits()));
    return ready;
}

Result<std::uint64_t> publish(kernel::Node& node, Prepared ready) {
    return node.publish(std::move(ready.images), ready.fresh, text::save_state(ready.state));
}

enum class Then { kPublish, kForget };

Result<Changed> walk(Context& cx, const Edit& edit, Then then) {
    const auto mode =
        then == Then::kPublish ? kernel::Lock::Mode::kExclusive : kernel::Lock::Mode::kShared;
    WEIR_TRY(auto session, open_session(cx, mode));
    WEIR_TRY(const auto live, read_live(session.node));
    model::Config wanted = live.saved.config;
    WEIR_CHECK(edit(wanted));
    keep_seed(live.saved.config, wanted);

    Changed result;
    result.generation = live.generation;
    result.changes = text::diff(live.saved.config, wanted);
    if (result.changes.empty()) {
        WEIR_CHECK(model::check(wanted, session.node.limits()));
        result.config = live.saved.config;
        return result;
    }
    WEIR_TRY(auto ready, prepare(session.node, live, std::move(wanted)));
    result.config = ready.state.config;
    if (then == Then::kPublish) {
        WEIR_TRY(result.generation, publish(session.node, std::move(ready)));
        result.published = true;
    }
    return result;
}

} // namespace

void keep_seed(const model::Config& live, model::Config& wanted) {
    if (!wanted.balancer.seed) {
        wanted.balancer.seed = live.balancer.seed;
    }
}

Result<Changed> change(Context& cx, const Edit& edit) {
    return walk(cx, edit, Then::kPublish);
}

Result<Changed> try_change(Context& cx, const Edit& edit) {
    return walk(cx, edit, Then::kForget);
}

Result<> publish_empty(kernel::Node& node) {
    WEIR_TRY(auto ready, prepare(node, Live{}, model::Config{}));
    WEIR_CHECK(publish(node, std::move(ready)));
    return {};
}

void report(Context& cx, const Changed& changed, const std::string& done,
            const output::Json& extra) {
    cx.out.text(changed.published ? fmt::format("{} (generation {})\n", done, changed.generation)
                                  : "no change\n");
    output::Json document{{"changed", changed.published},
                          {"generation", changed.generation},
                          {"changes", changes_json(changed.changes)}};
    document.update(extra);
    cx.out.document(document);
}

output::Json changes_json(const std::vector<text::Change>& changes) {
    auto list = output::Json::array();
    for (const text::Change& change : changes) {
        list.push_back({{"sign", std::string(1, change.sign)}, {"text", change.text}});
    }
    return list;
}

std::string changes_text(const std::vector<text::Change>& changes) {
    std::string text;
    for (const text::Change& change : changes) {
        text += fmt::format("{} {}\n", change.sign, change.text);
    }
    return text;
}

void warn_all(const std::vector<text::Warning>& warnings) {
    std::set<std::string> said;
    for (const text::Warning& warning : warnings) {
        if (said.insert(warning.message).second) {
            output::warn(warning.message);
        }
    }
}

} // namespace weir::verbs
