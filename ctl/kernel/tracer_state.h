#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "base/fd.h"
#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "kernel/tracer.h"
#include "trace.skel.h"

namespace weir::kernel {

// What a session holds of the kernel.
struct Tracer::State {
    trace_bpf* bpf = nullptr;
    std::vector<std::unique_ptr<bpf_link, int (*)(bpf_link*)>> links = {};
    // Of bodies loaded again: their links, which libbpf has no type for, and they. Closed in order.
    std::vector<Fd> clone_links = {};
    std::vector<Fd> clones = {};
    ring_buffer* ring = nullptr;
    const std::function<void(const trace_event&)>* each = nullptr;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        links.clear(); // before what they run
        clone_links.clear();
        clones.clear();
        ring_buffer__free(ring);
        trace_bpf__destroy(bpf);
    }

    static int take(void* state, void* data, std::size_t) {
        (*static_cast<State*>(state)->each)(*static_cast<const trace_event*>(data));
        return 0;
    }
    // NULL: refused while doing that; `log` may say why.
    Result<> keep(bpf_link* link, const std::string& doing, const LibraryLog& log);
};

} // namespace weir::kernel
