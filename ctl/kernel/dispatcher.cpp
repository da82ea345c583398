#include "kernel/dispatcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "dispatcher.skel.h"

#include "base/fd.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

constexpr const char* kObjectPath = "LIBXDP_OBJECT_PATH"; // libxdp(3), environment variables
constexpr const char* kFileName = "xdp-dispatcher.o";

// A folder that only we can read and write, with libxdp's dispatcher file in it.
class Folder {
public:
    static Result<Folder> make() {
        std::string path = "/run/weir-XXXXXX";
        if (!::mkdtemp(path.data())) { // 0700
            return refusal("making a folder in /run", errno);
        }
        return Folder(std::move(path));
    }
    Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
    Folder& operator=(Folder&&) = delete;
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        if (!path_.empty()) {
            (void)::unlink(file().c_str());
            (void)::rmdir(path_.c_str());
        }
    }

    Result<> write(const void* octets, std::size_t size) const {
        const Fd out(::open(file().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!out) {
            return refusal("making " + file(), errno);
        }
        const ssize_t written = ::write(out.get(), octets, size);
        if (written != static_cast<ssize_t>(size)) {
            return refusal("writing " + file(), written < 0 ? errno : ENOSPC);
        }
        return {};
    }

    const std::string& path() const { return path_; }

private:
    explicit Folder(std::string path) : path_(std::move(path)) {}
    std::string file() const { return path_ + "/" + kFileName; }
    std::string path_;
};

// An environment variable's value for as long as this lives.
class Setting {
public:
    Setting(const char* name, const std::string& value) : name_(name) {
        if (const char* before = std::getenv(name)) {
            before_ = before;
        }
        ::setenv(name, value.c_str(), 1);
    }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;
    ~Setting() {
        if (before_) {
            ::setenv(name_, before_->c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }

private:
    const char* name_;
    std::optional<std::string> before_;
};

} // namespace

Result<> with_own_dispatcher(const std::function<void()>& work) {
    WEIR_TRY(const Folder folder, Folder::make());
    std::size_t size = 0;
    const void* object = dispatcher_bpf__elf_bytes(&size);
    WEIR_CHECK(folder.write(object, size));
    const Setting setting(kObjectPath, folder.path());
    work();
    return {};
}

} // namespace weir::kernel
