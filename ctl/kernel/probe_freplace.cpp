#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <bpf/btf.h>

#include "kernel/bpf.h"
#include "kernel/probe_bpf.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

constexpr bpf_insn kReturnPass = {
    .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS};
constexpr bpf_insn kExit = {
    .code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
constexpr bpf_insn kCallNext = {.code = BPF_JMP | BPF_CALL,
                                .dst_reg = 0,
                                .src_reg = BPF_PSEUDO_CALL,
                                .off = 0,
                                .imm = 1}; // over the exit that follows

constexpr bpf_insn kNoOctets = {
    .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .src_reg = 0, .off = 0, .imm = 0};
constexpr bpf_insn kAdjustHead = {.code = BPF_JMP | BPF_CALL,
                                  .dst_reg = 0,
                                  .src_reg = 0,
                                  .off = 0,
                                  .imm = BPF_FUNC_xdp_adjust_head};

// Two global functions `int name(struct xdp_md *ctx)`: "entry" and "replaceable".
struct TwoFunctions {
    std::unique_ptr<btf, void (*)(btf*)> types{btf__new_empty(), btf__free};
    std::uint32_t entry = 0;
    std::uint32_t replaceable = 0;
};

TwoFunctions make_two_functions() {
    TwoFunctions made;
    btf* const all = made.types.get();
    const int number = btf__add_int(all, "int", 4, BTF_INT_SIGNED);
    const int context = btf__add_ptr(all, btf__add_struct(all, "xdp_md", 0)); // known by its name
    const int signature = btf__add_func_proto(all, number);
    btf__add_func_param(all, "ctx", context);
    made.entry =
        static_cast<std::uint32_t>(btf__add_func(all, "entry", BTF_FUNC_GLOBAL, signature));
    made.replaceable =
        static_cast<std::uint32_t>(btf__add_func(all, "replaceable", BTF_FUNC_GLOBAL, signature));
    if (btf__load_into_kernel(all) != 0) {
        made.types.reset();
    }
    return made;
}

template <std::size_t kInsns, std::size_t kFunctions>
Fd load(bpf_prog_type type, const std::array<bpf_insn, kInsns>& code, const TwoFunctions& made,
        const std::array<bpf_func_info, kFunctions>& functions, int target) {
    Options<bpf_prog_load_opts> settings;
    settings.prog_btf_fd = static_cast<__u32>(btf__fd(made.types.get()));
    settings.func_info = functions.data();
    settings.func_info_cnt = kFunctions;
    settings.func_info_rec_size = sizeof(bpf_func_info);
    if (target >= 0) {
        settings.attach_prog_fd = static_cast<__u32>(target);
        settings.attach_btf_id = made.replaceable;
    }
    return Fd(bpf_prog_load(type, "weir_probe", "GPL", code.data(), code.size(), &settings));
}

Trial refused_at(const char* step) {
    return {false, std::string("refused at ") + step + " (" +
                       std::generic_category().message(errno) + ")"};
}

template <std::size_t kInsns>
Trial replace_by(const std::array<bpf_insn, kInsns>& code) {
    const LibraryLog silence;
    const TwoFunctions made = make_two_functions();
    if (!made.types) {
        return refused_at("loading BTF");
    }
    const Fd base =
        load(BPF_PROG_TYPE_XDP, std::array{kCallNext, kExit, kReturnPass, kExit}, made,
             std::array{bpf_func_info{0, made.entry}, bpf_func_info{2, made.replaceable}}, -1);
    if (!base) {
        return refused_at("loading a program with functions");
    }
    const Fd replacement = load(BPF_PROG_TYPE_EXT, code, made,
                                std::array{bpf_func_info{0, made.replaceable}}, base.get());
    if (!replacement) {
        return refused_at("loading");
    }
    // The attachment ends with its descriptor.
    const Fd attached(bpf_raw_tracepoint_open(nullptr, replacement.get()));
    return attached ? Trial{true, ""} : refused_at("attaching");
}

} // namespace

Trial try_freplace() {
    return replace_by(std::array{kReturnPass, kExit});
}

Trial try_changing_freplace() {
    return replace_by(std::array{kNoOctets, kAdjustHead, kReturnPass, kExit});
}

} // namespace weir::kernel
