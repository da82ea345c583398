#include "presets/all.h"

namespace weir::presets {

// The functions that vfsstat(8) of bcc counts. vfs_create() is what mknod(2) and some file systems
// call; a file that open(2) makes goes another way.
Result<Preset> vfs() {
    Preset preset{.name = "vfs", .interval = 1};
    const auto calls = [](const char* function, const char* label) {
        return trace::StepWords{.source = function, .sink = trace::Sink::kCount, .label = label};
    };
    WEIR_TRY(preset.steps,
             trace::parse_steps({calls("fn:vfs_read", "READ"), calls("fn:vfs_write", "WRITE"),
                                 calls("fn:vfs_fsync_range", "FSYNC"), calls("fn:vfs_open", "OPEN"),
                                 calls("fn:vfs_create", "CREATE")}));
    return preset;
}

} // namespace weir::presets
