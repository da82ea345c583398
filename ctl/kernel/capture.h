#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "kernel/node.h"
#include "kernel/programs.h"
#include "maps/capture.h"

// Packets as they enter and leave a program: Weir's by the switch within them (docs/adr/0016),
// other people's XDP programs by fentry and fexit.
namespace weir::kernel {

struct CaptureWish {
    std::uint32_t ifindex = 0; // 0: any
    std::uint32_t hooks = 1U << HOOK_XDP;
    std::uint32_t points = CAPTURE_ENTRY | CAPTURE_EXIT;
    std::uint32_t snap = CAPTURE_SNAP; // octets of each packet
    // Weir's programs: bit per enum verdict; other people's: per XDP_*.
    std::uint32_t verdicts = ~0U;
    std::optional<model::Slot> rule = {};
    std::uint32_t ring_octets = CAPTURE_RING;
};

// A packet's way through one program.
struct CapturedPacket {
    const capture_record& record;
    // What was copied of the frame, from its start. Empty where that was not asked for.
    std::span<const std::uint8_t> entry;
    std::span<const std::uint8_t> exit;
};

struct CaptureBooks {
    std::uint64_t taken = 0; // given to poll(), or will be
    std::uint64_t lost = 0;  // asked for, and no room in the ring
    std::uint64_t lapses =
        0; // times that poll() was not called for so long that the switch went off
};

// Ends with this object, and with the process however that ends: a switch that nobody renews goes
// off by itself after kDeadline.
class Capture {
public:
    static constexpr std::chrono::seconds kDeadline{3};

    // Of the programs that share this node's maps. One at a time; a second one is refused.
    static Result<Capture> open(const Node& node, const CaptureWish& wish);
    // Of any XDP program, where the kernel has fentry.
    static Result<Capture> open(const LoadedProgram& program, const CaptureWish& wish);

    Capture(Capture&&) noexcept;
    Capture& operator=(Capture&&) noexcept;
    ~Capture();

    // Gives packets that are there, and waits for the first one up to so long. Answers how many: a
    // round has an end, though packets come faster than they are read. To be called again within
    // kDeadline.
    Result<std::size_t> poll(int milliseconds,
                             const std::function<void(const CapturedPacket&)>& each);
    // No more packets; those that were taken are still to be polled, until poll() answers 0.
    Result<> stop();
    // From now on what the rule with this slot decides; for one that was asked for from the start.
    void watch(model::Slot rule);
    Result<CaptureBooks> books() const;

    struct State;

private:
    explicit Capture(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Removes what a capture that was killed left behind: its ring, and the switch if no packet came
// since. Nothing to remove is no error.
Result<> sweep_capture(const Node& node);

} // namespace weir::kernel
