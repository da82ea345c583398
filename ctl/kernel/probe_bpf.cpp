#include "kernel/probe_bpf.h"

#include <array>
#include <cerrno>
#include <system_error>

#include "kernel/bpf.h"
#include "kernel/btf.h"

namespace weir::kernel {
namespace {

Trial refused(int error) {
    return {false, "refused (" + std::generic_category().message(error) + ")"};
}

Trial worked() {
    return {true, ""};
}

// `return verdict`
Fd smallest_program(bpf_prog_type type, int verdict,
                    const Options<bpf_prog_load_opts>& options = {}) {
    const std::array<bpf_insn, 2> code = {
        bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K,
                 .dst_reg = 0,
                 .src_reg = 0,
                 .off = 0,
                 .imm = verdict},
        bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return Fd(bpf_prog_load(type, "weir_probe", "GPL", code.data(), code.size(), &options));
}

constexpr int kXdpPass = XDP_PASS;
constexpr int kTcNext = -1; // TCX_NEXT

} // namespace

Trial try_program() {
    const Fd program = smallest_program(BPF_PROG_TYPE_XDP, kXdpPass);
    return program ? worked() : refused(errno);
}

Trial try_test_run() {
    const Fd program = smallest_program(BPF_PROG_TYPE_XDP, kXdpPass);
    const std::array<std::uint8_t, 60> frame{};
    Options<bpf_test_run_opts> settings;
    settings.data_in = frame.data();
    settings.data_size_in = frame.size();
    settings.repeat = 1;
    if (!program || bpf_prog_test_run_opts(program.get(), &settings) != 0) {
        return refused(errno);
    }
    return worked();
}

Trial try_tcx() {
    const Fd program = smallest_program(BPF_PROG_TYPE_SCHED_CLS, kTcNext);
    if (!program) {
        return refused(errno);
    }
    // Of an interface that cannot be (the largest number): a kernel that knows TCX looks for the
    // interface and answers ENODEV; one that does not answers EINVAL before it looks.
    constexpr int kNoInterface = 0x7fffffff;
    const Fd link(bpf_link_create(program.get(), kNoInterface,
                                  static_cast<bpf_attach_type>(kTcxIngress), nullptr));
    const int error = errno;
    if (link || error == ENODEV) {
        return worked();
    }
    return error == EINVAL ? Trial{false, "not in this kernel"} : refused(error);
}

Trial try_fentry() {
    constexpr const char* kFunction = "vfs_read"; // there is no kernel without it
    const auto types = Btf::of_kernel();
    const auto function = types ? types->function(kFunction) : std::nullopt;
    if (!function) {
        return {false, "without types (BTF)"};
    }
    Options<bpf_prog_load_opts> options;
    options.expected_attach_type = BPF_TRACE_FENTRY;
    options.attach_btf_id = function->id;
    const Fd made = smallest_program(BPF_PROG_TYPE_TRACING, 0, options);
    return made ? worked() : refused(errno);
}

Trial try_map(MapProbe map) {
    const auto type = map == MapProbe::kDevmap ? BPF_MAP_TYPE_DEVMAP : BPF_MAP_TYPE_CPUMAP;
    const Fd made(bpf_map_create(type, "weir_probe", sizeof(__u32), sizeof(__u32), 1, nullptr));
    return made ? worked() : refused(errno);
}

} // namespace weir::kernel
