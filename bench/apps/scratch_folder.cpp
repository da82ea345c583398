#include "bench/apps/scratch_folder.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace weir::bench {

Result<ScratchFolder> ScratchFolder::make() {
    const Fd context(fsopen("tmpfs", FSOPEN_CLOEXEC));
    if (!context || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return fail_errno("making a folder in memory", errno);
    }
    Fd mount(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
    if (!mount) {
        return fail_errno("making a folder in memory", errno);
    }
    return ScratchFolder(std::move(mount));
}

std::string ScratchFolder::path() const {
    return fmt::format("/proc/{}/fd/{}", getpid(), mount_.get());
}

Result<> ScratchFolder::write(const std::string& name, const std::string& content) const {
    std::ofstream file(path() + "/" + name);
    file << content << std::flush;
    return file ? Result<>{} : fail_errno("writing " + name + " for a server of the bench", errno);
}

} // namespace weir::bench
