#include "kernel/capture_programs.h"

#include <cerrno>
#include <string>

#include "capture.skel.h"

#include "kernel/bpf.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// What most often stands in the way has a name and a mend.
tl::unexpected<Error> refused(const LoadedProgram& target, int error, const LibraryLog& log) {
    const std::string doing = "looking at " + target.full_name() + " (id " +
                              std::to_string(target.id) + ") by fentry and fexit";
    const std::string reason = log.reason();
    if (error == EPERM && lockdown() != "none" && !lockdown().empty() && privileged()) {
        return fail(doing + ": this kernel's lockdown (" + lockdown() +
                    ") refuses it; Weir's own programs can be captured without");
    }
    const auto why = refusal(doing, error);
    return reason.empty() ? why : fail(why.value().message() + " (" + reason + ")");
}

} // namespace

void CapturePrograms::Destroy::operator()(capture_bpf* bpf) const {
    capture_bpf__destroy(bpf);
}

Result<CapturePrograms> CapturePrograms::load(const LoadedProgram& target) {
    const std::string name = target.full_name() + " (id " + std::to_string(target.id) + ")";
    if (target.function_id == 0) {
        return fail(name + " was loaded without BTF: fentry needs it; compile it with `clang -g`");
    }
    if (!target.jited) {
        return fail(name +
                    " is interpreted: fentry needs the JIT; sysctl net.core.bpf_jit_enable=1");
    }
    WEIR_TRY(const Fd fd, program_by_id(target.id));
    const LibraryLog log;
    std::unique_ptr<capture_bpf, Destroy> bpf(capture_bpf__open());
    if (!bpf) {
        return refusal("opening the capturing programs", errno);
    }
    for (bpf_program* program : {bpf->progs.capture_entry, bpf->progs.capture_return}) {
        if (const int error =
                bpf_program__set_attach_target(program, fd.get(), target.function.c_str())) {
            return refused(target, -error, log);
        }
    }
    if (const int error = capture_bpf__load(bpf.get())) {
        return refused(target, -error, log);
    }
    return CapturePrograms(std::move(bpf));
}

Result<> CapturePrograms::attach() {
    const LibraryLog log;
    // The return first: a packet whose entry was noted is one whose return will be seen.
    for (auto [program, link] :
         {std::pair{bpf_->progs.capture_return, &bpf_->links.capture_return},
          std::pair{bpf_->progs.capture_entry, &bpf_->links.capture_entry}}) {
        *link = bpf_program__attach_trace(program);
        if (*link == nullptr) {
            return refusal("attaching fentry and fexit", errno);
        }
    }
    return {};
}

void CapturePrograms::detach() {
    capture_bpf__detach(bpf_.get());
}

int CapturePrograms::settings() const {
    return bpf_map__fd(bpf_->maps.capture_settings);
}
int CapturePrograms::benches() const {
    return bpf_map__fd(bpf_->maps.capture_benches);
}
int CapturePrograms::rings() const {
    return bpf_map__fd(bpf_->maps.capture_rings);
}

} // namespace weir::kernel
