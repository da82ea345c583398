#pragma once

#include <functional>

#include "base/result.h"

namespace weir::kernel {

// Does `work` while libxdp finds Weir's dispatcher (dataplane/dispatcher.bpf.c) where it would find
// its own. The file and the environment variable that leads to it end with the call. A libxdp that
// carries its dispatcher within itself does not look.
Result<> with_own_dispatcher(const std::function<void()>& work);

} // namespace weir::kernel
