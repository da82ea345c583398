#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <bpf/libbpf.h>

#include "base/fd.h"
#include "kernel/bpf.h"
#include "kernel/capture.h"

// What both ways to capture have in common: a ring in its place, and the settings that the data
// plane reads.
namespace weir::kernel {

class CaptureRing {
public:
    // The three maps of maps/capture.h; they stay the caller's.
    static Result<CaptureRing> open(int settings, int benches, int rings, const CaptureWish& wish);

    // Puts off the time when the data plane ends by itself. Answers false if that had passed.
    bool renew();
    // See Capture::watch().
    void watch(model::Slot rule);
    // The packets that are being walked have ended when this returns.
    Result<> settle() const;
    Result<std::size_t> poll(int milliseconds,
                             const std::function<void(const CapturedPacket&)>& each);
    // Since open().
    Result<CaptureBooks> books() const;
    // The ring leaves its place, and its memory is free when this object ends.
    void leave() const;

private:
    CaptureRing(Fd ring, Mapping settings, int benches, int rings)
        : ring_(std::move(ring)), settings_(std::move(settings)), benches_(benches), rings_(rings),
          reader_(nullptr, ring_buffer__free), round_(std::make_unique<Round>()) {}
    Result<CaptureBooks> totals() const;
    capture_settings& settings() const;

    // One poll(): whom it gives packets to, and how many so far.
    struct Round {
        const std::function<void(const CapturedPacket&)>* each = nullptr;
        std::size_t given = 0;
    };
    static int take(void* round, void* data, std::size_t size);
    Fd ring_;
    Mapping settings_;
    int benches_;
    int rings_;
    CaptureBooks before_;
    std::unique_ptr<ring_buffer, void (*)(ring_buffer*)> reader_;
    std::unique_ptr<Round> round_; // libbpf keeps its address
};

} // namespace weir::kernel
