#pragma once

#include "presets/preset.h"

namespace weir::presets {

Result<Preset> blk();
Result<Preset> offcpu();
Result<Preset> oncpu();
Result<Preset> pagecache();
Result<Preset> vfs();

} // namespace weir::presets
