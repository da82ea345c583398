#include "bench/net/live_generator.h"

#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "bench/bpf/live.h"
#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "live.skel.h"

namespace weir::bench {

struct LiveGenerator::Objects {
    live_bpf* bpf = nullptr;
    Objects() = default;
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;
    ~Objects() { live_bpf__destroy(bpf); }
};

namespace {

double cpu_time_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

} // namespace

LiveGenerator::LiveGenerator(std::unique_ptr<Objects> objects) : objects_(std::move(objects)) {}
LiveGenerator::LiveGenerator(LiveGenerator&&) noexcept = default;
LiveGenerator::~LiveGenerator() = default;

Result<LiveGenerator> LiveGenerator::make(const Traffic& traffic) {
    if (traffic.frame.size() < LIVE_HEADER) {
        return fail("frames of the generator have at least 64 octets");
    }
    kernel::LibraryLog log;
    auto objects = std::make_unique<Objects>();
    objects->bpf = live_bpf__open();
    if (objects->bpf == nullptr) {
        return kernel::refusal("opening the generator", errno);
    }
    bpf_map__set_max_entries(objects->bpf->maps.live_headers,
                             static_cast<__u32>(traffic.headers.size()));
    if (const int error = live_bpf__load(objects->bpf); error != 0) {
        return kernel::refusal("loading the generator", -error);
    }
    WEIR_TRY(const auto headers, kernel::Mapping::of(bpf_map__fd(objects->bpf->maps.live_headers),
                                                     kernel::Mapping::Access::kWrite));
    std::memcpy(headers.bytes().data(), traffic.headers.data(),
                traffic.headers.size() * sizeof(rearm_header));
    objects->bpf->bss->live_flows = traffic.headers.size();
    LiveGenerator generator(std::move(objects));
    generator.frame_ = traffic.frame;
    return generator;
}

Result<LiveGenerator::Sent> LiveGenerator::send(const Lab& lab, std::uint32_t packets) {
    WEIR_CHECK(lab.enter(Lab::Place::kGenerator));
    WEIR_TRY(const auto out, index_of(lab.generator()));
    auto* state = objects_->bpf->bss;
    state->live_out = out;
    state->live_turn = 0;
    state->live_sent = 0;
    kernel::Options<bpf_test_run_opts> settings;
    settings.data_in = frame_.data();
    settings.data_size_in = static_cast<__u32>(frame_.size());
    settings.repeat = static_cast<int>(packets);
    settings.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    const double cpu = cpu_time_ns();
    if (bpf_prog_test_run_opts(bpf_program__fd(objects_->bpf->progs.live_frame), &settings) != 0) {
        return kernel::refusal("sending XDP live frames", errno);
    }
    return Sent{state->live_sent, (cpu_time_ns() - cpu) / packets,
                std::max(static_cast<double>(settings.duration), 1.0)};
}

} // namespace weir::bench
