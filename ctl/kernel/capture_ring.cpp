#include "kernel/capture_ring.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <ctime>
#include <string>

#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// As bpf_ktime_get_ns() counts.
std::uint64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

Result<> check(const CaptureWish& wish) {
    const auto page = static_cast<std::uint32_t>(::getpagesize());
    if (!std::has_single_bit(wish.ring_octets) || wish.ring_octets < page) {
        return usage("a ring of " + std::to_string(wish.ring_octets) +
                     " octets: give a power of two from " + std::to_string(page));
    }
    if (wish.snap == 0 || wish.snap > CAPTURE_SNAP) {
        return usage("a snap length of " + std::to_string(wish.snap) + ": give 1 to " +
                     std::to_string(CAPTURE_SNAP) + " octets");
    }
    return {};
}

} // namespace

int CaptureRing::take(void* round, void* data, std::size_t) {
    // Else packets that come faster than they are read would hold poll() for ever.
    constexpr std::size_t kAtMost = 1024;
    const auto& record = *static_cast<const capture_record*>(data);
    const auto* octets = static_cast<const std::uint8_t*>(data) + sizeof(record);
    Round& now = *static_cast<Round*>(round);
    (*now.each)({.record = record,
                 .entry = {octets, record.entry_captured},
                 .exit = {octets + record.entry_captured, record.exit_captured}});
    return ++now.given < kAtMost ? 0 : -ECANCELED;
}

capture_settings& CaptureRing::settings() const {
    return *reinterpret_cast<capture_settings*>(settings_.bytes().data());
}

Result<CaptureRing> CaptureRing::open(int settings, int benches, int rings,
                                      const CaptureWish& wish) {
    WEIR_CHECK(check(wish));
    WEIR_TRY(Mapping mapping, Mapping::of(settings, Mapping::Access::kWrite));
    Fd ring(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "capture_ring", 0, 0, wish.ring_octets, nullptr));
    if (!ring) {
        return refusal("making a ring of " + std::to_string(wish.ring_octets) + " octets", errno);
    }
    CaptureRing made(std::move(ring), std::move(mapping), benches, rings);
    made.reader_.reset(ring_buffer__new(made.ring_.get(), take, made.round_.get(), nullptr));
    if (!made.reader_) {
        return refusal("opening the ring of packets", errno);
    }
    WEIR_TRY(made.before_, made.totals());
    capture_settings& word = made.settings();
    word.ifindex = wish.ifindex;
    word.hooks = wish.hooks;
    word.points = wish.points;
    word.snap = wish.snap;
    word.verdicts = wish.verdicts;
    word.rule = wish.rule.value_or(CAPTURE_NO_RULE);
    (void)made.renew();
    WEIR_CHECK(made.settle());
    return made;
}

bool CaptureRing::renew() {
    const std::atomic_ref<__u64> until(settings().until);
    const std::uint64_t now = monotonic_ns();
    constexpr auto kTerm = std::chrono::nanoseconds(Capture::kDeadline).count();
    return until.exchange(now + static_cast<std::uint64_t>(kTerm)) >= now;
}

void CaptureRing::watch(model::Slot rule) {
    std::atomic_ref(settings().rule).store(rule, std::memory_order_relaxed);
}

// The kernel waits for every program that may still see the old ring before it returns.
Result<> CaptureRing::settle() const {
    const __u32 only = 0;
    const auto ring = static_cast<__u32>(ring_.get());
    if (bpf_map_update_elem(rings_, &only, &ring, BPF_ANY) != 0) {
        return refusal("putting the ring of packets in place", errno);
    }
    return {};
}

void CaptureRing::leave() const {
    const __u32 only = 0;
    (void)bpf_map_delete_elem(rings_, &only);
}

Result<std::size_t> CaptureRing::poll(int milliseconds,
                                      const std::function<void(const CapturedPacket&)>& each) {
    *round_ = {.each = &each};
    const int taken = milliseconds > 0 ? ring_buffer__poll(reader_.get(), milliseconds)
                                       : ring_buffer__consume(reader_.get());
    if (taken < 0 && taken != -EINTR && taken != -ECANCELED) {
        return refusal("reading packets", -taken);
    }
    return round_->given;
}

Result<CaptureBooks> CaptureRing::totals() const {
    std::vector<capture_bench> of_cpus(possible_cpus());
    const __u32 only = 0;
    if (bpf_map_lookup_elem(benches_, &only, of_cpus.data()) != 0) {
        return refusal("reading the books of the capture", errno);
    }
    CaptureBooks sum;
    for (const capture_bench& each : of_cpus) {
        sum.taken += each.taken;
        sum.lost += each.lost;
    }
    return sum;
}

Result<CaptureBooks> CaptureRing::books() const {
    WEIR_TRY(CaptureBooks now, totals());
    now.taken -= before_.taken;
    now.lost -= before_.lost;
    return now;
}

} // namespace weir::kernel
