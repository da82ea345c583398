#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::kernel {

// An error of a BPF or netlink call, from a positive errno value. Where the kernel says no more
// than "not permitted", the missing thing and its mend: root, lockdown, bpffs.
tl::unexpected<Error> refusal(std::string_view doing, int error);

// What lockdown(7) is set to: "none", "integrity", "confidentiality"; "" where it cannot be read.
std::string lockdown();

// Every capability that Weir needs: CAP_BPF, CAP_NET_ADMIN and, to open objects by id,
// CAP_SYS_ADMIN.
bool privileged();

// Keeps what libbpf and libxdp would print on stderr, for as long as it lives: the reason why a
// program or an attachment was refused stands there and nowhere else.
class LibraryLog {
public:
    LibraryLog();
    ~LibraryLog();
    LibraryLog(const LibraryLog&) = delete;
    LibraryLog& operator=(const LibraryLog&) = delete;

    // The line that names the cause: the verifier's last words or the last warning. "" if none.
    std::string reason() const;
    bool mentions(std::string_view words) const { return text_.find(words) != std::string::npos; }
    void append(std::string_view text) { text_ += text; }

private:
    std::string text_;
    LibraryLog* outer_;
};

// A refusal, with the reason that the library gave.
tl::unexpected<Error> library_refusal(const std::string& doing, int error, const LibraryLog& log);

} // namespace weir::kernel
