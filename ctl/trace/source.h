#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::trace {

// Where events come from, as the user writes it: "fn:vfs_*", "tp:skb:kfree_skb".
struct Source {
    enum class Kind {
        kFunction,      // fn:GLOB
        kReturn,        // ret:GLOB
        kTracepoint,    // tp:SUBSYSTEM:EVENT, both patterns
        kRawTracepoint, // raw:NAME, with its arguments by BTF
        kSyscall,       // sys:NAME
        kSyscallReturn, // sysret:NAME
        kUser,          // u:FILE:SYMBOL, a function of a program or library
        kUserReturn,    // uret:FILE:SYMBOL
        kUsdt,          // usdt:FILE:PROVIDER:NAME, usdt:FILE:NAME, both patterns
        kXdp,           // xdp:PROG, xdp:PROG@entry, a loaded BPF program; also a pattern, and id:N
        kXdpReturn,     // xdp:PROG@exit
        kTc,            // tc:PROG, the same
        kTcReturn,
    };
    Kind kind = Kind::kFunction;
    std::string subsystem = {}; // of a tracepoint; of a user function its file
    std::string provider = {};  // of a USDT probe
    std::string name = {};
    std::string text = {}; // as written
};

// Which way of attaching; kAny: the best that the kernel has.
enum class Backend { kAny, kTracepoint, kRawTracepoint, kFentry, kMulti, kKprobe, kUprobe };
const char* name(Backend backend);

Result<Source> parse_source(std::string_view words);
// The same at the return; nullopt: it does not return.
std::optional<Source> return_of(const Source& source);
Result<Backend> parse_backend(std::string_view word);

} // namespace weir::trace
