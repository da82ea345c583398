#include "kernel/tracer_state.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

namespace weir::kernel {
namespace {

// What the raw body's constants are, as they lie in .rodata.
using BodyConstants = std::remove_pointer_t<decltype(trace_bpf::rodata)>;

// A verified program's instructions, to be loaded again.
class Body {
public:
    Body(const bpf_object* object, const bpf_program* program)
        : insns(bpf_program__insns(program),
                bpf_program__insns(program) + bpf_program__insn_cnt(program)),
          name_(bpf_program__name(program)), btf_(bpf_object__btf_fd(object)) {
        // A callback of bpf_loop wants to be described. The type of one static function serves all.
        const int type =
            btf__find_by_name_kind(bpf_object__btf(object), "trace_next", BTF_KIND_FUNC);
        for (const std::uint32_t start : functions()) {
            functions_.push_back({start, static_cast<__u32>(type)});
        }
    }

    // `program`: of which BPF program `target` is a function; 0: of the kernel.
    Fd load(bpf_prog_type type, bpf_attach_type attach, std::uint32_t target,
            int program = 0) const {
        Options<bpf_prog_load_opts> options;
        options.expected_attach_type = attach;
        options.attach_btf_id = target;
        options.attach_prog_fd = static_cast<__u32>(program);
        options.prog_btf_fd = static_cast<__u32>(btf_);
        options.func_info = functions_.data();
        options.func_info_cnt = static_cast<__u32>(functions_.size());
        options.func_info_rec_size = sizeof(bpf_func_info);
        return Fd(bpf_prog_load(type, name_, "GPL", insns.data(), insns.size(), &options));
    }

    std::vector<bpf_insn> insns;

private:
    // Where functions begin: the program, and what is called or handed to a helper.
    std::set<std::uint32_t> functions() const {
        std::set<std::uint32_t> starts = {0};
        for (std::uint32_t i = 0; i < insns.size(); i++) {
            const bpf_insn& insn = insns[i];
            const bool called =
                insn.code == (BPF_JMP | BPF_CALL) && insn.src_reg == BPF_PSEUDO_CALL;
            const bool handed =
                insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg == BPF_PSEUDO_FUNC;
            if (called || handed) {
                starts.insert(i + 1 + static_cast<std::uint32_t>(insn.imm));
            }
        }
        return starts;
    }

    const char* name_;
    int btf_;
    std::vector<bpf_func_info> functions_ = {};
};

} // namespace

Result<> Tracer::State::keep(bpf_link* link, const std::string& doing, const LibraryLog& log) {
    if (link == nullptr) {
        return library_refusal(doing, errno, log);
    }
    links.emplace_back(link, &bpf_link__destroy);
    return {};
}

Tracer::Tracer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::load(const Bodies& bodies, const Room& room) {
    LibraryLog log;
    Tracer tracer(std::make_unique<State>());
    trace_bpf* bpf = tracer.state_->bpf = trace_bpf__open();
    if (bpf == nullptr) {
        return refusal("opening the tracing programs", errno);
    }
    const auto use = [](bpf_program* program, bool wanted) {
        bpf_program__set_autoload(program, wanted);
    };
    use(bpf->progs.trace_probe, bodies.probe);
    use(bpf->progs.trace_multi, bodies.multi);
    use(bpf->progs.trace_tracepoint, bodies.tracepoint);
    use(bpf->progs.trace_raw, bodies.raw);
    std::vector<Fd> hooked;
    for (const auto& [program, target] : {std::pair{bpf->progs.trace_fentry, &bodies.entry},
                                          std::pair{bpf->progs.trace_fexit, &bodies.exit}}) {
        use(program, !target->function.empty());
        if (target->function.empty()) {
            continue;
        }
        Fd of;
        if (target->program != 0) {
            WEIR_TRY(of, program_by_id(target->program));
        }
        if (const int error = bpf_program__set_attach_target(
                program, target->program == 0 ? 0 : of.get(), target->function.c_str())) {
            return library_refusal("finding " + target->function, -error, log);
        }
        hooked.push_back(std::move(of)); // until the body is loaded
    }
    bpf_map__set_max_entries(bpf->maps.trace_events, room.ring_octets);
    bpf_map__set_max_entries(bpf->maps.trace_totals, room.totals);
    bpf_map__set_max_entries(bpf->maps.trace_open, room.open);
    bpf_map__set_max_entries(bpf->maps.trace_stacks, room.stacks);
    if (const int error = trace_bpf__load(bpf)) {
        return library_refusal("loading the tracing programs", -error, log);
    }
    for (std::uint32_t i = 0; i < room.flows.size(); i++) {
        if (bpf_map_update_elem(bpf_map__fd(bpf->maps.trace_flows), &i, &room.flows[i], BPF_ANY)) {
            return refusal("writing a flow", errno);
        }
    }
    tracer.state_->ring = ring_buffer__new(bpf_map__fd(bpf->maps.trace_events), &State::take,
                                           tracer.state_.get(), nullptr);
    if (tracer.state_->ring == nullptr) {
        return refusal("opening the ring of events", errno);
    }
    return tracer;
}

Result<> Tracer::write_recipe(std::uint32_t index, const trace_recipe& recipe) {
    if (bpf_map_update_elem(bpf_map__fd(state_->bpf->maps.trace_recipes), &index, &recipe,
                            BPF_ANY)) {
        return refusal("writing a recipe", errno);
    }
    return {};
}

Result<> Tracer::write_word(std::uint32_t index, const std::string& word) {
    trace_text text{};
    std::memcpy(text.octets, word.data(),
                std::min<std::size_t>(word.size(), TRACE_STRING_SIZE - 1));
    if (bpf_map_update_elem(bpf_map__fd(state_->bpf->maps.trace_words), &index, &text, BPF_ANY)) {
        return refusal("writing a text to compare with", errno);
    }
    return {};
}

// --- attaching ----------------------------------------------------------------------------------

Result<> Tracer::attach_tracepoint(const Tracepoint& tracepoint, std::uint64_t cookie) {
    LibraryLog log;
    Options<bpf_tracepoint_opts> options;
    options.bpf_cookie = cookie;
    return state_->keep(bpf_program__attach_tracepoint_opts(state_->bpf->progs.trace_tracepoint,
                                                            tracepoint.subsystem.c_str(),
                                                            tracepoint.event.c_str(), &options),
                        "attaching to tracepoint " + tracepoint.name(), log);
}

Result<> Tracer::attach_kprobe(const std::string& function, bool exit, std::uint64_t cookie) {
    if (::access("/sys/bus/event_source/devices/kprobe/type", R_OK) != 0) {
        return fail("kprobes are not in this kernel (CONFIG_KPROBES)");
    }
    LibraryLog log;
    Options<bpf_kprobe_opts> options;
    options.bpf_cookie = cookie;
    options.retprobe = exit;
    return state_->keep(
        bpf_program__attach_kprobe_opts(state_->bpf->progs.trace_probe, function.c_str(), &options),
        "attaching a kprobe to " + function, log);
}

Result<> Tracer::attach_kprobes(const std::vector<std::string>& functions, bool exit,
                                const std::vector<std::uint64_t>& cookies) {
    LibraryLog log;
    std::vector<const char*> names;
    for (const std::string& function : functions) {
        names.push_back(function.c_str());
    }
    Options<bpf_kprobe_multi_opts> options;
    options.syms = names.data();
    static_assert(sizeof(__u64) == sizeof(std::uint64_t));
    options.cookies = reinterpret_cast<const __u64*>(cookies.data());
    options.cnt = names.size();
    options.retprobe = exit;
    return state_->keep(
        bpf_program__attach_kprobe_multi_opts(state_->bpf->progs.trace_multi, nullptr, &options),
        "attaching kprobe.multi to " + std::to_string(names.size()) + " functions", log);
}

Result<> Tracer::attach_uprobe(const UserPlace& place, int pid, bool exit, std::uint64_t cookie) {
    LibraryLog log;
    Options<bpf_uprobe_opts> options;
    options.bpf_cookie = cookie;
    options.retprobe = exit;
    options.func_name = place.symbol.empty() ? nullptr : place.symbol.c_str();
    options.ref_ctr_offset = place.semaphore;
    return state_->keep(
        bpf_program__attach_uprobe_opts(state_->bpf->progs.trace_probe, pid == 0 ? -1 : pid,
                                        place.file.c_str(), place.offset, &options),
        "attaching a uprobe to " + place.file + (place.symbol.empty() ? "" : ":" + place.symbol),
        log);
}

// The verified body once more, for another function: what differs is the target alone.
Result<> Tracer::attach_fentry(std::uint32_t btf_id, std::uint32_t of_program, bool exit,
                               std::uint64_t cookie) {
    Fd of;
    if (of_program != 0) {
        WEIR_TRY(of, program_by_id(of_program));
    }
    const Body body(state_->bpf->obj,
                    exit ? state_->bpf->progs.trace_fexit : state_->bpf->progs.trace_fentry);
    const bpf_attach_type type = exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
    Fd program = body.load(BPF_PROG_TYPE_TRACING, type, btf_id, of_program == 0 ? 0 : of.get());
    if (!program) {
        return refusal("loading a body for fentry", errno);
    }
    Options<bpf_link_create_opts> options;
    options.tracing.cookie = cookie;
    Fd link(bpf_link_create(program.get(), 0, type, &options));
    if (!link) {
        return refusal("attaching by fentry", errno);
    }
    state_->clone_links.push_back(std::move(link));
    state_->clones.push_back(std::move(program));
    return {};
}

// A raw tracepoint has no cookie before 6.10, and refuses a body that reads arguments which it does
// not have: each gets a copy of the body with constants of its own, by which the verifier drops
// what is not needed.
Result<> Tracer::attach_raw_tracepoint(const std::string& name, std::uint32_t arguments,
                                       std::uint64_t cookie) {
    Body body(state_->bpf->obj, state_->bpf->progs.trace_raw);
    const bpf_map* shared = state_->bpf->maps.rodata;
    BodyConstants constants = *state_->bpf->rodata;
    constants.trace_own_cookie = cookie;
    constants.trace_own_arguments = arguments;
    Options<bpf_map_create_opts> shape;
    shape.map_flags = BPF_F_RDONLY_PROG;
    Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "trace_own", sizeof(__u32),
                          bpf_map__value_size(shared), 1, &shape));
    const __u32 zero = 0;
    std::vector<std::uint8_t> value(bpf_map__value_size(shared));
    std::memcpy(value.data(), &constants, sizeof(constants));
    if (!map || bpf_map_update_elem(map.get(), &zero, value.data(), BPF_ANY) != 0 ||
        bpf_map_freeze(map.get()) != 0) {
        return refusal("making a raw tracepoint's constants", errno);
    }
    for (bpf_insn& insn : body.insns) {
        const bool names_map =
            insn.code == (BPF_LD | BPF_IMM | BPF_DW) &&
            (insn.src_reg == BPF_PSEUDO_MAP_VALUE || insn.src_reg == BPF_PSEUDO_MAP_FD);
        if (names_map && insn.imm == bpf_map__fd(shared)) {
            insn.imm = map.get();
        }
    }
    Fd program = body.load(BPF_PROG_TYPE_RAW_TRACEPOINT, {}, 0);
    if (!program) {
        return refusal("loading a body for a raw tracepoint", errno);
    }
    Fd link(bpf_raw_tracepoint_open(name.c_str(), program.get()));
    if (!link) {
        return refusal("attaching to raw tracepoint " + name, errno);
    }
    state_->clone_links.push_back(std::move(link));
    state_->clones.push_back(std::move(program));
    return {};
}

} // namespace weir::kernel
