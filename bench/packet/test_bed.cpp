#include "bench/packet/test_bed.h"

#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "rearm.skel.h"

namespace weir::bench {

// The skeleton's name for what it opened, closed with it.
struct TestBed::Objects {
    rearm_bpf* bpf = nullptr;
    ProgramType type;
    explicit Objects(ProgramType of) : type(of) {}
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;
    ~Objects() { rearm_bpf__destroy(bpf); }

    bool xdp() const { return type == ProgramType::kXdp; }
    bpf_program* rearm() const { return xdp() ? bpf->progs.rearm_xdp : bpf->progs.rearm_tc; }
    bpf_program* empty() const { return xdp() ? bpf->progs.empty_xdp : bpf->progs.empty_tc; }
    bpf_map* programs() const { return xdp() ? bpf->maps.xdp_programs : bpf->maps.tc_programs; }
};

namespace {

// What must be equal in both programs for the kernel to let one call the other by a tail call, and
// what it does not tell of a loaded program (bpf_prog_map_compatible() in kernel/bpf/core.c).
struct ProgramKind {
    bool frags;
    bpf_attach_type attach;
};
constexpr ProgramKind kXdpKinds[] = {
    {true, BPF_XDP}, {false, BPF_XDP}, {true, bpf_attach_type(0)}, {false, bpf_attach_type(0)}};
constexpr ProgramKind kTcKinds[] = {{false, bpf_attach_type(0)},
                                    {false, bpf_attach_type(46)}, // BPF_TCX_INGRESS
                                    {false, bpf_attach_type(47)}};

// By as much as any program makes a frame longer: the kernel refuses to run it where that is not
// enough.
constexpr std::size_t kLongestGrowth = 65536;

void set_kind(bpf_program* program, const ProgramKind& kind) {
    const __u32 flags = bpf_program__flags(program) & ~__u32{BPF_F_XDP_HAS_FRAGS};
    bpf_program__set_flags(program, flags | (kind.frags ? BPF_F_XDP_HAS_FRAGS : 0));
    bpf_program__set_expected_attach_type(program, kind.attach);
}

Result<> fill_headers(int map, const std::vector<rearm_header>& headers) {
    WEIR_TRY(const auto mapping, kernel::Mapping::of(map, kernel::Mapping::Access::kWrite));
    std::memcpy(mapping.bytes().data(), headers.data(), headers.size() * sizeof(rearm_header));
    return {};
}

Result<> put(int programs, __u32 at, int program) {
    if (bpf_map_update_elem(programs, &at, &program, BPF_ANY) != 0) {
        return kernel::refusal("calling the program by a tail call", errno);
    }
    return {};
}

Result<ProgramType> type_of(int program) {
    WEIR_TRY(const auto info, kernel::program_info(program));
    switch (info.type) {
    case BPF_PROG_TYPE_XDP:
        return ProgramType::kXdp;
    case BPF_PROG_TYPE_SCHED_CLS:
        return ProgramType::kTc;
    default:
        return usage("program '" + std::string(info.name) + "' is of type " +
                     std::to_string(info.type) + ": expected an XDP or a TC program");
    }
}

constexpr const char* kXdpActions[] = {"aborted", "drop", "pass", "tx", "redirect"};
constexpr const char* kTcActions[] = {"unspec", "ok",     "reclassify", "shot",     "pipe",
                                      "stolen", "queued", "repeat",     "redirect", "trap"};

std::span<const char* const> actions(ProgramType type) {
    if (type == ProgramType::kXdp) {
        return kXdpActions;
    }
    return kTcActions;
}

int first_action(ProgramType type) {
    return type == ProgramType::kXdp ? 0 : -1;
}

} // namespace

std::string action_name(ProgramType type, int action) {
    const auto names = actions(type);
    const auto at = static_cast<std::size_t>(action - first_action(type));
    return at < names.size() ? names[at] : "action " + std::to_string(action);
}

Result<int> parse_action(ProgramType type, const std::string& name) {
    const auto names = actions(type);
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
        std::string known;
        for (const char* each : names) {
            known += (known.empty() ? "" : ", ") + std::string(each);
        }
        return usage("'" + name + "' is no answer of such a program: expected one of " + known);
    }
    return static_cast<int>(at - names.begin()) + first_action(type);
}

std::uint64_t Tally::of(int action) const {
    const std::size_t at = static_cast<std::size_t>(action) + 1; // TC_ACT_UNSPEC, -1, is the first
    return at < answers.size() ? answers[at] : 0;
}

Tally& Tally::operator+=(const Tally& other) {
    for (std::size_t i = 0; i < answers.size(); i++) {
        answers[i] += other.answers[i];
    }
    not_restored += other.not_restored;
    not_called += other.not_called;
    return *this;
}

TestBed::TestBed(ProgramType type, std::unique_ptr<Objects> objects)
    : type_(type), objects_(std::move(objects)) {}
TestBed::TestBed(TestBed&&) noexcept = default;
TestBed::~TestBed() = default;

Result<TestBed> TestBed::set_up(int program, const Traffic& traffic) {
    WEIR_TRY(const ProgramType type, type_of(program));
    std::span<const ProgramKind> kinds = kXdpKinds;
    if (type == ProgramType::kTc) {
        kinds = kTcKinds;
    }
    Result<> called = fail("");
    for (const ProgramKind& kind : kinds) {
        kernel::LibraryLog log;
        auto objects = std::make_unique<Objects>(type);
        objects->bpf = rearm_bpf__open();
        if (objects->bpf == nullptr) {
            return kernel::refusal("opening the bench's programs", errno);
        }
        bpf_program* each = nullptr;
        bpf_object__for_each_program(each, objects->bpf->obj) {
            bpf_program__set_autoload(each, each == objects->rearm() || each == objects->empty());
        }
        set_kind(objects->rearm(), kind);
        set_kind(objects->empty(), kind);
        bpf_map__set_max_entries(objects->bpf->maps.rearm_headers,
                                 static_cast<__u32>(traffic.headers.size()));
        if (const int error = rearm_bpf__load(objects->bpf); error != 0) {
            called = kernel::refusal("loading the bench's programs", -error);
            continue;
        }
        const int programs = bpf_map__fd(objects->programs());
        WEIR_CHECK(put(programs, REARM_EMPTY, bpf_program__fd(objects->empty())));
        called = put(programs, REARM_UNDER_TEST, program);
        if (!called) {
            continue;
        }
        WEIR_CHECK(fill_headers(bpf_map__fd(objects->bpf->maps.rearm_headers), traffic.headers));
        TestBed bed(type, std::move(objects));
        bed.frame_ = traffic.frame;
        bed.headers_ = static_cast<std::uint32_t>(traffic.headers.size());
        bed.flows_ = traffic.flows;
        return bed;
    }
    return fail(std::move(called).error());
}

Result<Run> TestBed::run(std::uint32_t program, std::uint32_t laps) {
    const int record_map = bpf_map__fd(objects_->bpf->maps.rearm_run);
    const auto frame_len = static_cast<__u32>(frame_.size());
    rearm record{};
    record.program = program;
    record.frame_len = frame_len;
    record.header_len = std::min<__u32>(frame_len, REARM_HEADER_MAX);
    record.no_answer = REARM_NO_ANSWER;
    record.headers = headers_;
    record.flows = flows_;
    record.next = next_.at(program);
    record.next_flow = next_flow_.at(program);
    const __u32 only = 0;
    if (bpf_map_update_elem(record_map, &only, &record, BPF_ANY) != 0) {
        return kernel::refusal("writing the bench's record", errno);
    }
    kernel::Options<bpf_test_run_opts> settings;
    settings.data_in = frame_.data();
    settings.data_size_in = frame_len;
    std::vector<std::uint8_t> last(frame_.size() + kLongestGrowth);
    settings.data_out = last.data();
    settings.data_size_out = static_cast<__u32>(last.size());
    settings.repeat = static_cast<int>(laps);
    if (bpf_prog_test_run_opts(bpf_program__fd(objects_->rearm()), &settings) != 0) {
        return kernel::refusal(
            "running the program on a frame of " + std::to_string(frame_len) + " octets", errno);
    }
    if (bpf_map_lookup_elem(record_map, &only, &record) != 0) {
        return kernel::refusal("reading the bench's record", errno);
    }
    next_.at(program) = record.next;
    next_flow_.at(program) = record.next_flow;
    Run result;
    last.resize(settings.data_size_out);
    result.last = std::move(last);
    result.ns = settings.duration;
    std::copy(std::begin(record.answers), std::end(record.answers), result.tally.answers.begin());
    result.tally.not_restored = record.not_restored;
    result.tally.not_called = record.not_called;
    return result;
}

} // namespace weir::bench
