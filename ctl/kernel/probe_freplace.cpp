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

using Btf = std::unique_ptr<btf, void (*)(btf*)>;

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
struct Types {
    Btf btf{nullptr, btf__free};
    std::uint32_t entry = 0;
    std::uint32_t replaceable = 0;
};

Types make_types() {
    Types types;
    types.btf = Btf(btf__new_empty(), btf__free);
    btf* const all = types.btf.get();
    const int number = btf__add_int(all, "int", 4, BTF_INT_SIGNED);
    const int context = btf__add_ptr(all, btf__add_struct(all, "xdp_md", 0)); // known by its name
    const int signature = btf__add_func_proto(all, number);
    btf__add_func_param(all, "ctx", context);
    types.entry =
        static_cast<std::uint32_t>(btf__add_func(all, "entry", BTF_FUNC_GLOBAL, signature));
    types.replaceable =
        static_cast<std::uint32_t>(btf__add_func(all, "replaceable", BTF_FUNC_GLOBAL, signature));
    if (btf__load_into_kernel(all) != 0) {
        types.btf.reset();
    }
    return types;
}

template <std::size_t kInsns, std::size_t kFunctions>
Fd load(bpf_prog_type type, const std::array<bpf_insn, kInsns>& code, const Types& types,
        const std::array<bpf_func_info, kFunctions>& functions, int target) {
    Options<bpf_prog_load_opts> settings;
    settings.prog_btf_fd = static_cast<__u32>(btf__fd(types.btf.get()));
    settings.func_info = functions.data();
    settings.func_info_cnt = kFunctions;
    settings.func_info_rec_size = sizeof(bpf_func_info);
    if (target >= 0) {
        settings.attach_prog_fd = static_cast<__u32>(target);
        settings.attach_btf_id = types.replaceable;
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
    const Types types = make_types();
    if (!types.btf) {
        return refused_at("loading BTF");
    }
    const Fd base =
        load(BPF_PROG_TYPE_XDP, std::array{kCallNext, kExit, kReturnPass, kExit}, types,
             std::array{bpf_func_info{0, types.entry}, bpf_func_info{2, types.replaceable}}, -1);
    if (!base) {
        return refused_at("loading a program with functions");
    }
    const Fd replacement = load(BPF_PROG_TYPE_EXT, code, types,
                                std::array{bpf_func_info{0, types.replaceable}}, base.get());
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
