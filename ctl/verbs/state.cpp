#include "verbs/state.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

#include "kernel/capture.h"
#include "kernel/refusal.h"

namespace weir::verbs {
namespace {

Result<text::SavedState> state_of(const kernel::Kept& kept) {
    auto saved = text::load_state(kept.state);
    if (!saved) {
        return fail(std::move(saved).error().while_(
            fmt::format("reading the state of generation {}", kept.number)));
    }
    return saved;
}

} // namespace

Result<> need_rights(const Context& cx) {
    if (!kernel::privileged()) {
        return kernel::refusal("opening " + cx.pins.base().string(), EPERM);
    }
    return {};
}

Result<Session> open_session(const Context& cx, kernel::Lock::Mode mode) {
    WEIR_CHECK(need_rights(cx));
    WEIR_CHECK(cx.pins.check_schema());
    WEIR_TRY(auto lock, kernel::Lock::take(cx.pins, mode));
    WEIR_TRY(auto node, kernel::Node::open(cx.pins));
    WEIR_CHECK(kernel::sweep_capture(node));
    return Session{std::move(lock), std::move(node)};
}

Result<std::optional<kernel::Node>> node_if_loaded(const Context& cx) {
    if (!cx.pins.loaded()) {
        return std::nullopt;
    }
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kShared)); // its lock ends here
    return std::move(session.node);
}

Result<Live> read_live(const kernel::Node& node) {
    WEIR_TRY(const auto generations, node.generations());
    Live live;
    for (const kernel::Kept& kept : generations) {
        WEIR_TRY(auto saved, state_of(kept));
        live.next_handle = std::max(live.next_handle, saved.ids.next_handle);
        if (kept.live) {
            live.generation = kept.number;
            live.saved = std::move(saved);
        } else {
            live.others.push_back(std::move(saved));
        }
    }
    return live;
}

Result<model::Config> live_config(const kernel::Node& node) {
    WEIR_TRY(auto live, read_live(node));
    return std::move(live.saved.config);
}

} // namespace weir::verbs
