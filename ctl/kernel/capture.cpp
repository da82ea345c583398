#include "kernel/capture.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>

#include "kernel/capture_programs.h"
#include "kernel/capture_ring.h"
#include "kernel/refusal.h"
#include "maps/generation.h"

namespace weir::kernel {
namespace {

// Held by whoever captures: flock(2) on the directory of the maps. None if somebody else holds it.
Result<std::optional<Fd>> try_seat(const Node& node) {
    const std::filesystem::path folder = node.pins().root() / "maps";
    Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return refusal("opening " + folder.string(), errno);
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return std::nullopt;
        }
        return refusal("locking " + folder.string(), errno);
    }
    return fd;
}

// The bit in the control word that turns packets aside.
class Switch {
public:
    static Result<Switch> of(const Node& node) {
        WEIR_TRY(Mapping mapping,
                 Mapping::of(node.map(maps::control.name), Mapping::Access::kWrite));
        return Switch(std::move(mapping));
    }
    void on() const { word().fetch_or(CAPTURE_ON); }
    void off() const { word().fetch_and(~CAPTURE_ON); }
    bool is_on() const { return (word().load() & CAPTURE_ON) != 0; }

private:
    explicit Switch(Mapping mapping) : mapping_(std::move(mapping)) {}
    std::atomic_ref<__u32> word() const {
        return std::atomic_ref(reinterpret_cast<struct control*>(mapping_.bytes().data())->live);
    }
    Mapping mapping_;
};

} // namespace

struct Capture::State {
    std::optional<Fd> seat = {};
    std::optional<Switch> toggle = {};            // Weir's own programs
    std::optional<CapturePrograms> programs = {}; // other people's
    std::optional<CaptureRing> ring = {};
    std::vector<Fd> maps = {};
    std::uint64_t lapses = 0;
    bool ended = false;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        end();
        if (ring && toggle) {
            ring->leave();
        }
    }
    void end() {
        ended = true;
        if (toggle) {
            toggle->off();
        }
        if (programs) {
            programs->detach();
        }
    }
};

Capture::Capture(std::unique_ptr<State> state) : state_(std::move(state)) {}
Capture::Capture(Capture&&) noexcept = default;
Capture& Capture::operator=(Capture&&) noexcept = default;
Capture::~Capture() = default;

Result<Capture> Capture::open(const Node& node, const CaptureWish& wish) {
    auto state = std::make_unique<State>();
    WEIR_TRY(state->seat, try_seat(node));
    if (!state->seat) {
        return fail("another capture of this Weir is running: end it first (one at a time)");
    }
    // The capture may outlive the node.
    for (const char* name :
         {maps::capture_settings.name, maps::capture_benches.name, maps::capture_rings.name}) {
        WEIR_TRY(Fd map, open_pin(node.pins().map(name)));
        state->maps.push_back(std::move(map));
    }
    WEIR_TRY(auto ring, CaptureRing::open(state->maps[0].get(), state->maps[1].get(),
                                          state->maps[2].get(), wish));
    state->ring.emplace(std::move(ring));
    WEIR_TRY(auto toggle, Switch::of(node));
    state->toggle.emplace(std::move(toggle));
    state->toggle->on();
    return Capture(std::move(state));
}

Result<Capture> Capture::open(const LoadedProgram& program, const CaptureWish& wish) {
    auto state = std::make_unique<State>();
    WEIR_TRY(state->programs, CapturePrograms::load(program));
    WEIR_TRY(auto ring, CaptureRing::open(state->programs->settings(), state->programs->benches(),
                                          state->programs->rings(), wish));
    state->ring.emplace(std::move(ring));
    WEIR_CHECK(state->programs->attach());
    return Capture(std::move(state));
}

Result<std::size_t> Capture::poll(int milliseconds,
                                  const std::function<void(const CapturedPacket&)>& each) {
    constexpr int kAtMost = 500; // so that the deadline is renewed in time
    if (!state_->ended) {
        state_->lapses += state_->ring->renew() ? 0 : 1;
        if (state_->toggle) {
            state_->toggle->on(); // the data plane may have turned it off just before
        }
    }
    return state_->ring->poll(std::min(milliseconds, kAtMost), each);
}

void Capture::watch(model::Slot rule) { state_->ring->watch(rule); }

Result<> Capture::stop() {
    state_->end();
    WEIR_CHECK(state_->ring->settle());
    return {};
}

Result<CaptureBooks> Capture::books() const {
    WEIR_TRY(CaptureBooks books, state_->ring->books());
    books.lapses = state_->lapses;
    return books;
}

Result<> sweep_capture(const Node& node) {
    const __u32 only = 0;
    __u32 ring = 0;
    WEIR_TRY(const Switch toggle, Switch::of(node));
    const int rings = node.map(maps::capture_rings.name);
    if (!toggle.is_on() && bpf_map_lookup_elem(rings, &only, &ring) != 0) {
        return {};
    }
    WEIR_TRY(const auto seat, try_seat(node));
    if (seat) {
        toggle.off();
        (void)bpf_map_delete_elem(rings, &only);
    }
    return {};
}

} // namespace weir::kernel
