#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "bench/net/lab.h"
#include "bench/traffic.h"

namespace weir::bench {

// Sends frames into a lab by XDP live frames (BPF_F_TEST_XDP_LIVE_FRAMES), from the CPU it is on.
class LiveGenerator {
public:
    struct Sent {
        std::uint64_t packets = 0;
        double cpu_ns = 0; // of this CPU for a packet, all the way to the sink
        // As the kernel timed it, in whole numbers: the system call also waits for what it set up
        // to be gone.
        double wall_ns = 0;
    };

    static Result<LiveGenerator> make(const Traffic& traffic);
    LiveGenerator(LiveGenerator&&) noexcept;
    LiveGenerator& operator=(LiveGenerator&&) = delete;
    ~LiveGenerator();

    Result<Sent> send(const Lab& lab, std::uint32_t packets);

private:
    struct Objects;
    explicit LiveGenerator(std::unique_ptr<Objects> objects);
    std::unique_ptr<Objects> objects_;
    std::vector<std::uint8_t> frame_;
};

} // namespace weir::bench
