#include "kernel/refusal.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <system_error>
#include <vector>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

namespace weir::kernel {
namespace {

std::string with_reason(std::string_view doing, std::string_view why) {
    return std::string(doing) + ": " + std::string(why);
}

// The libraries' print functions take no context, so that the log in use must be found by thread.
thread_local LibraryLog* current_log = nullptr;

int keep(const char* format, va_list arguments) {
    if (!current_log) {
        return 0;
    }
    va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length > 0) {
        std::string text(static_cast<std::size_t>(length) + 1, '\0');
        std::vsnprintf(text.data(), text.size(), format, arguments);
        text.pop_back();
        current_log->append(text);
    }
    return length;
}

int keep_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN ? keep(format, arguments) : 0;
}

int keep_libxdp(libxdp_print_level level, const char* format, va_list arguments) {
    return level == LIBXDP_WARN ? keep(format, arguments) : 0;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        std::string line = text.substr(start, end - start);
        const std::size_t first = line.find_first_not_of(" \t");
        if (first != std::string::npos) {
            lines.push_back(line.substr(first));
        }
        start = end + 1;
    }
    return lines;
}

// Lines around the cause that name none. Memory is not what root is refused since BPF's is no
// longer counted by RLIMIT_MEMLOCK (Linux 5.11).
bool is_frame(const std::string& line) {
    for (const char* noise :
         {"-- BEGIN PROG LOAD LOG", "-- END PROG LOAD LOG", "processed ", "verification time",
          "stack depth", "failed to load: ", "failed to load program", "failed to load object",
          "failed to load BPF", "permission error while running as root"}) {
        if (line.find(noise) != std::string::npos) {
            return true;
        }
    }
    return false;
}

} // namespace

std::string lockdown() {
    // "none [integrity] confidentiality": the one in brackets is in force; lockdown(7).
    std::ifstream file("/sys/kernel/security/lockdown");
    std::string text;
    std::getline(file, text);
    const std::size_t open = text.find('[');
    const std::size_t close = text.find(']');
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return "";
    }
    return text.substr(open + 1, close - open - 1);
}

bool privileged() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) {
        return false;
    }
    const auto has = [&](int capability) {
        return (data[static_cast<std::size_t>(capability) / 32].effective >> (capability % 32)) &
               1U;
    };
    return has(CAP_SYS_ADMIN) && has(CAP_NET_ADMIN);
}

tl::unexpected<Error> refusal(std::string_view doing, int error) {
    if (error == EPERM || error == EACCES) {
        if (!privileged()) {
            return fail(with_reason(doing,
                                    "not permitted: run as root (with CAP_SYS_ADMIN, CAP_BPF "
                                    "and CAP_NET_ADMIN)"));
        }
        if (const std::string mode = lockdown(); mode == "confidentiality") {
            return fail(with_reason(doing, "kernel lockdown is '" + mode +
                                               "', which refuses BPF: boot with lockdown=none or "
                                               "lockdown=integrity"));
        }
        return fail(with_reason(doing,
                                "the kernel does not permit it, not even to root: `weir doctor` "
                                "says what this kernel refuses"));
    }
    if (error == ENOSYS) {
        return fail(with_reason(doing, "this kernel has no BPF: Weir needs Linux 6.1 or later with "
                                       "CONFIG_BPF_SYSCALL"));
    }
    if (error == ENOMEM) {
        return fail(with_reason(doing, "no memory: load with smaller limits (`weir load --help`)"));
    }
    return fail_errno(doing, error);
}

LibraryLog::LibraryLog() : outer_(current_log) {
    current_log = this;
    libbpf_set_print(keep_libbpf);
    libxdp_set_print(keep_libxdp);
}

LibraryLog::~LibraryLog() {
    current_log = outer_;
}

std::string LibraryLog::reason() const {
    const auto lines = lines_of(text_);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        if (!is_frame(*line)) {
            return *line;
        }
    }
    return "";
}

tl::unexpected<Error> library_refusal(const std::string& doing, int error, const LibraryLog& log) {
    const auto why = refusal(doing, error);
    const std::string reason = log.reason();
    return reason.empty() ? why : fail(why.value().message() + " (" + reason + ")");
}

} // namespace weir::kernel
