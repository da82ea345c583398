#include "support/weir_under_test.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "compile/images.h"
#include "kernel/bpf.h"
#include "kernel/tables.h"
#include "text/config_text.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBases = "/sys/fs/bpf";
constexpr std::string_view kBaseName = "weir-pt-";

// What a run that was killed left behind.
void remove_bases_of_the_dead() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(kBases, error)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(kBaseName)) {
            continue;
        }
        pid_t owner = 0; // without a number: the processes beside this one, which are there
        std::from_chars(name.data() + kBaseName.size(), name.data() + name.size(), owner);
        if (kill(owner, 0) != 0 && errno == ESRCH) {
            fs::remove_all(entry.path(), error);
        }
    }
}

fs::path base() {
    return fs::path(kBases) / (std::string(kBaseName) + std::to_string(getpid()));
}

// An interface's name as the number that rules compare.
std::pair<std::uint64_t, std::uint64_t> name_number(std::string_view name) {
    std::uint64_t halves[2] = {};
    for (std::size_t i = 0; i < 16; ++i) {
        halves[i / 8] =
            halves[i / 8] << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0);
    }
    return {halves[0], halves[1]};
}

// Frames grow by an outer header and a handover record.
constexpr std::size_t kRoomToGrow = 256;

} // namespace

WeirUnderTest::WeirUnderTest() : pins_(base()) {
    remove_bases_of_the_dead();
    must(pins_.prepare());
    must(kernel::load(pins_, {}));
    node_ = must(kernel::Node::open(pins_));
    for (const auto which :
         {kernel::Program::kIngress, kernel::Program::kTcIngress, kernel::Program::kTcEgress}) {
        programs_.emplace(which, program(which));
    }
}

WeirUnderTest::~WeirUnderTest() {
    std::error_code ignored;
    fs::remove_all(pins_.base(), ignored);
}

Fd WeirUnderTest::program(kernel::Program which) const {
    const std::string path = pins_.program(kernel::name(which)).string();
    Fd fd(bpf_obj_get(path.c_str()));
    if (!fd) {
        throw std::runtime_error(path + ": " + std::strerror(errno));
    }
    return fd;
}

void WeirUnderTest::reset() {
    const kernel::Mapping flows =
        must(kernel::Mapping::of(node_->map(maps::flows.name), kernel::Mapping::Access::kWrite));
    std::ranges::fill(flows.bytes(), 0);
    for (const auto& [ifindex, slot] : slots_) {
        must(node_->delete_iface(ifindex));
    }
    slots_.clear();
    config_ = {};
    apply("");
}

void WeirUnderTest::apply(std::string_view yaml) {
    std::vector<text::Warning> warnings;
    text::SavedState state;
    state.config = must(text::parse_config(yaml, "test.yaml", warnings));
    state.ids = ids_;
    must(model::check(state.config, node_->limits()));
    const model::FreshSlots fresh = must(
        model::assign_identities(state.config, config_, {&config_}, node_->limits(), state.ids));
    compile::Images images = must(compile::compile(state.config, node_->limits()));
    must(node_->publish(std::move(images), fresh, text::save_state(state)));
    config_ = state.config;
    ids_ = state.ids;
}

void WeirUnderTest::forget_generation() {
    const __u32 only = 0;
    struct control word {};
    word.live = NO_GENERATION;
    word.last = must(kernel::last_number(*node_)); // ways that packets know are of a generation
    if (bpf_map_update_elem(node_->map(maps::control.name), &only, &word, BPF_ANY) != 0) {
        throw std::runtime_error("writing the control word");
    }
}

void WeirUnderTest::lose_rules() {
    const kernel::Mapping mapping =
        must(kernel::Mapping::of(node_->map(maps::control.name), kernel::Mapping::Access::kWrite));
    auto* word = reinterpret_cast<struct control*>(mapping.bytes().data());
    generation& live = word->generation[word->live];
    live.fw_image = NO_TABLE;
    std::memset(live.list, 0, sizeof(live.list)); // nor do common packets have a list of their own
}

namespace {

// For the elements of a per-CPU map that are in use.
template <typename Value, typename Change>
void change_all(int map, std::uint32_t elements, const Change& change) {
    std::vector<Value> each_cpu(kernel::possible_cpus());
    for (std::uint32_t key = 0; key < elements; ++key) {
        if (bpf_map_lookup_elem(map, &key, each_cpu.data()) != 0) {
            throw std::runtime_error("reading a per-CPU map");
        }
        std::ranges::for_each(each_cpu, change);
        if (bpf_map_update_elem(map, &key, each_cpu.data(), BPF_ANY) != 0) {
            throw std::runtime_error("writing a per-CPU map");
        }
    }
}

} // namespace

void WeirUnderTest::forget_ways() {
    constexpr std::uint32_t kInUse = 16; // of a test's few backends
    change_all<backend_count>(node_->map(maps::backend_counts.name), kInUse,
                              [](backend_count& each) { each.first.valid = each.second.valid = 0; });
}

void WeirUnderTest::let_pass(std::uint32_t ticks) {
    const kernel::Mapping mapping = must(kernel::Mapping::of(
        node_->map(maps::service_states.name), kernel::Mapping::Access::kWrite));
    const auto bytes = mapping.bytes();
    const std::span states(reinterpret_cast<service_state*>(bytes.data()),
                           bytes.size() / sizeof(service_state));
    for (service_state& each : states) {
        each.changed -= ticks;
        each.closing_until -= ticks;
    }
}

void WeirUnderTest::add_interface(std::uint32_t ifindex, std::string_view name, role as,
                                  std::uint32_t hooks) {
    const auto [high, low] = name_number(name);
    const auto slot = static_cast<std::uint32_t>(1 + slots_.size());
    must(node_->set_iface(ifindex, {.name_hi = high,
                                    .name_lo = low,
                                    .ifindex = ifindex,
                                    .slot = slot,
                                    .mac = {2, 0, 0, 0, 0, 2}, // what frames are sent to: frame.h
                                    .role = static_cast<__u8>(as),
                                    .hooks = static_cast<__u8>(hooks)}));
    slots_[ifindex] = slot;
}

std::uint32_t WeirUnderTest::slot_of(std::uint32_t ifindex) const {
    const auto found = slots_.find(ifindex == 0 ? if_nametoindex("lo") : ifindex);
    return found == slots_.end() ? 0 : found->second;
}

namespace {

std::optional<Answer> test_run(int program, bool xdp, const Octets& frame, Arrival how) {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    Answer run;
    run.output.resize(how.metadata + frame.size() + kRoomToGrow);
    Octets given(how.metadata);
    given.insert(given.end(), frame.begin(), frame.end());
    options.data_in = given.data();
    options.data_size_in = static_cast<__u32>(given.size());
    options.data_out = run.output.data();
    options.data_size_out = static_cast<__u32>(run.output.size());

    xdp_md md{};
    md.data = how.metadata;
    md.data_end = how.linear != 0 ? how.linear : static_cast<__u32>(given.size());
    md.ingress_ifindex = how.ifindex;
    __sk_buff skb{};
    skb.ifindex = how.ifindex;
    skb.data_end = how.linear;
    skb.gso_size = how.gso_size;
    if (xdp) {
        options.ctx_in = options.ctx_out = &md;
        options.ctx_size_in = options.ctx_size_out = sizeof(md);
    } else {
        options.ctx_in = options.ctx_out = &skb;
        options.ctx_size_in = options.ctx_size_out = sizeof(skb);
    }
    if (bpf_prog_test_run_opts(program, &options) != 0) {
        return std::nullopt;
    }
    run.action = static_cast<int>(options.retval);
    run.output.resize(options.data_size_out);
    if (xdp) {
        const auto start = run.output.begin() + md.data;
        run.metadata.assign(run.output.begin(), start);
        run.output.erase(run.output.begin(), start);
    }
    return run;
}

bool is_xdp(kernel::Program which) {
    return which == kernel::Program::kIngress;
}

Answer must_run(std::optional<Answer> run, const Octets& frame) {
    if (!run) {
        throw std::runtime_error("BPF_PROG_TEST_RUN of " + std::to_string(frame.size()) +
                                 " bytes: " + std::strerror(errno));
    }
    return *std::move(run);
}

} // namespace

std::optional<Answer> WeirUnderTest::try_run(kernel::Program which, const Octets& frame,
                                             Arrival how) {
    return test_run(programs_.at(which).get(), is_xdp(which), frame, how);
}

Answer WeirUnderTest::run(kernel::Program which, const Octets& frame, Arrival how) {
    return must_run(try_run(which, frame, how), frame);
}

Answer WeirUnderTest::run_general(kernel::Program which, const Octets& frame, Arrival how) {
    auto found = general_.find(which);
    if (found == general_.end()) {
        const auto file = is_xdp(which) ? kernel::ObjectFile::kIngress : kernel::ObjectFile::kTc;
        kernel::Object object =
            must(kernel::Object::open(file, node_->limits(), kernel::Instance::kGeneral));
        must(object.size_maps(node_->limits()));
        must(object.reuse_maps(pins_.root() / "maps", [](std::string_view) { return false; }));
        must(object.load());
        found = general_.emplace(which, std::move(object)).first;
    }
    const int program = must(found->second.program(kernel::name(which)));
    return must_run(test_run(program, is_xdp(which), frame, how), frame);
}

hook_count WeirUnderTest::books(std::uint32_t slot, hook at) const {
    return must(node_->hook_hits(slot, at));
}

} // namespace weir::test
