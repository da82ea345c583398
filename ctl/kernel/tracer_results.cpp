#include "kernel/tracer_state.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>

#include "kernel/multi_link.h"
#include "kernel/perf_probe.h"

// What a session's programs tell.
namespace weir::kernel {

Result<> Tracer::poll(int milliseconds, const std::function<void(const trace_event&)>& each) {
    state_->each = &each;
    const int taken = ring_buffer__poll(state_->ring, milliseconds);
    state_->each = nullptr;
    return taken < 0 && taken != -EINTR ? Result<>(refusal("reading events", -taken)) : Result<>();
}

Result<std::vector<std::pair<trace_key, trace_total>>> Tracer::totals(bool clear) {
    const int map = bpf_map__fd(state_->bpf->maps.trace_totals);
    std::vector<trace_key> keys; // nobody else deletes any
    trace_key next{};
    for (int error = bpf_map_get_next_key(map, nullptr, &next); error == 0;
         error = bpf_map_get_next_key(map, &keys.back(), &next)) {
        keys.push_back(next);
    }
    std::vector<std::pair<trace_key, trace_total>> totals;
    std::vector<trace_total> of_cpus(possible_cpus());
    for (const trace_key& key : keys) {
        const int error = clear ? bpf_map_lookup_and_delete_elem(map, &key, of_cpus.data())
                                : bpf_map_lookup_elem(map, &key, of_cpus.data());
        if (error != 0) {
            continue;
        }
        trace_total sum{};
        for (const trace_total& each : of_cpus) {
            sum.events += each.events;
            for (std::size_t i = 0; i < TRACE_SUMS; i++) {
                sum.sum[i] += each.sum[i];
            }
        }
        totals.emplace_back(key, sum);
    }
    return totals;
}

// In batches of whole buckets: from key to key one that is closed meanwhile would begin the walk
// anew, and what was seen already would be seen twice.
Result<std::vector<std::pair<trace_open_key, trace_opened>>> Tracer::open() const {
    WEIR_TRY(const Elements elements, read_all(bpf_map__fd(state_->bpf->maps.trace_open)));
    std::vector<std::pair<trace_open_key, trace_opened>> all(elements.count);
    for (std::size_t i = 0; i < all.size(); i++) {
        std::memcpy(&all[i].first, elements.keys.data() + i * sizeof(trace_open_key),
                    sizeof(trace_open_key));
        std::memcpy(&all[i].second, elements.values.data() + i * sizeof(trace_opened),
                    sizeof(trace_opened));
    }
    return all;
}

std::vector<std::uint64_t> Tracer::stack(std::int64_t id) const {
    std::vector<std::uint64_t> frames(TRACE_FRAMES);
    const auto key = static_cast<__u32>(id);
    if (id < 0 || bpf_map_lookup_elem(bpf_map__fd(state_->bpf->maps.trace_stacks), &key,
                                      frames.data()) != 0) {
        return {};
    }
    while (!frames.empty() && frames.back() == 0) {
        frames.pop_back();
    }
    return frames;
}

// Hits that the kernel did not give to a program: because it, or at tracepoints and kprobes any,
// was at work on that CPU (recursion_misses of bpf_prog_info; 6.1 counts those of fentry and raw
// tracepoints alone), or had no room to wait for one more return (from 6.7 on).
Result<std::uint64_t> Tracer::missed() const {
    std::uint64_t missed = 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, state_->bpf->obj) {
        if (const int fd = bpf_program__fd(program); fd >= 0) {
            WEIR_TRY(const bpf_prog_info info, program_info(fd));
            missed += info.recursion_misses;
        }
    }
    for (const Fd& clone : state_->clones) {
        WEIR_TRY(const bpf_prog_info info, program_info(clone.get()));
        missed += info.recursion_misses;
    }
    for (const auto& link : state_->links) {
        const int fd = bpf_link__fd(link.get());
        missed += missed_by_multi_link(fd) + missed_by_kprobe_link(fd);
    }
    return missed;
}

Result<TraceBooks> Tracer::books() const {
    TraceBooks sum{};
    WEIR_TRY(sum.missed, missed());
    const __u32 only = 0;
    std::vector<trace_desk> desks(possible_cpus());
    if (bpf_map_lookup_elem(bpf_map__fd(state_->bpf->maps.trace_desks), &only, desks.data()) != 0) {
        return refusal("reading the session's books", errno);
    }
    for (const trace_desk& desk : desks) {
        sum.nested += desk.nested;
    }
    sum.fired = sum.nested + sum.missed;
    std::vector<trace_work> of_cpus(possible_cpus());
    for (__u32 bench = 0; bench < TRACE_BENCHES; bench++) {
        if (bpf_map_lookup_elem(bpf_map__fd(state_->bpf->maps.trace_benches), &bench,
                                of_cpus.data()) != 0) {
            return refusal("reading the session's books", errno);
        }
        for (const trace_work& work : of_cpus) {
            sum.fired += work.books.fired;
            sum.refused += work.books.refused;
            sum.taken += work.books.taken;
            sum.lost += work.books.lost;
            sum.unreadable += work.books.unreadable;
            sum.timed += work.books.timed;
            sum.timed_ns += work.books.timed_ns;
        }
    }
    return sum;
}

} // namespace weir::kernel
