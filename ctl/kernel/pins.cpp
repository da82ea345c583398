#include "kernel/pins.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <linux/magic.h>
#include <system_error>

#include "kernel/refusal.h"
#include "maps/abi.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBpffs = "/sys/fs/bpf";

bool on_bpffs(const fs::path& path) {
    struct statfs info {};
    return ::statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

// The path itself or the nearest parent that exists.
fs::path nearest_existing(fs::path path) {
    std::error_code ignored;
    while (!fs::exists(path, ignored) && path.has_relative_path()) {
        path = path.parent_path();
    }
    return path;
}

bool lies_below(const fs::path& path, const fs::path& folder) {
    const auto [end, unused] =
        std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end();
}

Result<> need_bpffs(const fs::path& base) {
    if (on_bpffs(nearest_existing(base))) {
        return {};
    }
    if (!lies_below(base, kBpffs)) {
        return fail(base.string() +
                    " is not on a bpffs: choose pins below /sys/fs/bpf, or `mount -t "
                    "bpf bpf DIR`");
    }
    if (::mount("bpf", kBpffs, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0) {
        const int error = errno;
        if (error == ENOENT || error == ENODEV) {
            return fail(
                "mounting bpffs on /sys/fs/bpf: not there: mount sysfs, and use a kernel with "
                "CONFIG_BPF_SYSCALL");
        }
        return refusal("mounting bpffs on /sys/fs/bpf", error);
    }
    return {};
}

// Who owns the folder can rename what lies in it.
Result<> refuse_strangers_folder(const fs::path& base) {
    struct stat info {};
    if (::stat(base.c_str(), &info) == 0 && info.st_uid != ::geteuid()) {
        return fail(base.string() + " belongs to user " + std::to_string(info.st_uid) +
                    ": remove it with `rmdir " + base.string() + "`");
    }
    return {};
}

bool is_number(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](unsigned char c) { return c >= '0' && c <= '9'; });
}

} // namespace

Pins::Pins(const fs::path& base) : base_(fs::absolute(base).lexically_normal()) {}

fs::path Pins::root() const {
    return base_ / std::to_string(WEIR_SCHEMA);
}
fs::path Pins::map(std::string_view name) const {
    return root() / "maps" / name;
}
fs::path Pins::program(std::string_view name) const {
    return root() / "programs" / name;
}
fs::path Pins::link(std::string_view name) const {
    return root() / "links" / name;
}

bool Pins::loaded() const {
    std::error_code ignored;
    return fs::is_directory(root(), ignored);
}

Result<> Pins::prepare() const {
    if (!privileged()) {
        return refusal("making " + base_.string(), EPERM);
    }
    WEIR_CHECK(need_bpffs(base_));
    WEIR_CHECK(refuse_strangers_folder(base_));
    std::error_code error;
    fs::create_directories(base_, error);
    if (!error) {
        // Who can open the folder can hold its lock for ever.
        fs::permissions(base_, fs::perms::owner_all, error);
    }
    if (error) {
        return refusal("making " + base_.string(), error.value());
    }
    return check_schema();
}

Result<> Pins::check_schema() const {
    if (loaded()) {
        return {};
    }
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(base_, error)) {
        const std::string name = entry.path().filename();
        if (is_number(name)) {
            return fail(
                base_.string() + " holds pins of schema " + name + ", this weir reads schema " +
                std::to_string(WEIR_SCHEMA) +
                ": `weir export` and `weir unload` with the weir that loaded them, then `weir "
                "load` and `weir apply` with this one");
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return refusal("reading " + base_.string(), error.value());
    }
    return {};
}

Result<Lock> Lock::take(const Pins& pins, Mode mode) {
    const std::string doing = "locking " + pins.base().string();
    Fd fd(::open(pins.base().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT) {
            return fail("Weir is not loaded in " + pins.base().string() + ": run `weir load`");
        }
        return refusal(doing, errno);
    }
    while (::flock(fd.get(), mode == Mode::kShared ? LOCK_SH : LOCK_EX) != 0) {
        if (errno != EINTR) {
            return refusal(doing, errno);
        }
    }
    return Lock(std::move(fd));
}

} // namespace weir::kernel
