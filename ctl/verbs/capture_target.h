#pragma once

#include <optional>
#include <string>

#include "kernel/capture.h"
#include "verbs/verb.h"

namespace weir::verbs {

// What is to be captured: this node's programs, on one interface or all, or one program of somebody
// else's.
struct CaptureTarget {
    std::string name;                      // as files and messages call it
    std::optional<kernel::Node> node = {}; // one of the two
    std::optional<kernel::LoadedProgram> program = {};
    std::uint32_t ifindex = 0; // 0: any
    std::uint32_t hooks = 0;   // bit per enum hook
};

// DEV|PROG: an interface, and what is attached there; or a program's name, or id:N. `hooks`: of an
// interface, only these; 0: all that Weir has there.
Result<CaptureTarget> find_capture_target(const Context& cx, const std::string& word,
                                          std::uint32_t hooks);

} // namespace weir::verbs
