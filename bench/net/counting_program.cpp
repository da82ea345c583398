#include "bench/net/counting_program.h"

#include <linux/if_link.h>

#include <cerrno>
#include <numeric>
#include <vector>

#include "bench/net/lab.h"
#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "sink.skel.h"

namespace weir::bench {

struct CountingProgram::Objects {
    sink_bpf* bpf = nullptr;
    Fd link;
    Objects() = default;
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;
    ~Objects() { sink_bpf__destroy(bpf); }
};

CountingProgram::CountingProgram(std::unique_ptr<Objects> objects) : objects_(std::move(objects)) {}
CountingProgram::CountingProgram(CountingProgram&&) noexcept = default;
CountingProgram::~CountingProgram() = default;

Result<CountingProgram> CountingProgram::attach(const std::string& on, std::uint32_t to,
                                                bool generic) {
    WEIR_TRY(const auto index, index_of(on));
    kernel::LibraryLog log;
    auto objects = std::make_unique<Objects>();
    objects->bpf = sink_bpf__open_and_load();
    if (objects->bpf == nullptr) {
        return kernel::refusal("loading the bench's counting program", errno);
    }
    objects->bpf->bss->redirect_to = to;
    const auto& programs = objects->bpf->progs;
    kernel::Options<bpf_link_create_opts> settings;
    settings.flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
    const int program = bpf_program__fd(to == 0 ? programs.count_drop : programs.count_redirect);
    objects->link = Fd(bpf_link_create(program, static_cast<int>(index), BPF_XDP, &settings));
    if (!objects->link) {
        return kernel::refusal("attaching the bench's counting program to " + on, errno);
    }
    return CountingProgram(std::move(objects));
}

Result<CountingProgram> CountingProgram::drop(const std::string& on, bool generic) {
    return attach(on, 0, generic);
}

Result<CountingProgram> CountingProgram::redirect(const std::string& on, const std::string& to,
                                                  bool generic) {
    WEIR_TRY(const auto index, index_of(to));
    return attach(on, index, generic);
}

Result<std::uint64_t> CountingProgram::count() const {
    std::vector<__u64> each(kernel::possible_cpus());
    const __u32 only = 0;
    if (bpf_map_lookup_elem(bpf_map__fd(objects_->bpf->maps.counted), &only, each.data()) != 0) {
        return kernel::refusal("reading the bench's counter", errno);
    }
    return std::accumulate(each.begin(), each.end(), std::uint64_t{0});
}

} // namespace weir::bench
