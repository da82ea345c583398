#pragma once

#include "presets/preset.h"

namespace weir::presets {

Result<Preset> backlog();
Result<Preset> blk();
Result<Preset> conns();
Result<Preset> lb();
Result<Preset> offcpu();
Result<Preset> oncpu();
Result<Preset> pagecache();
Result<Preset> pathcost();
Result<Preset> progs();
Result<Preset> qdisc();
Result<Preset> resets();
Result<Preset> retrans();
Result<Preset> rxlat();
Result<Preset> softirq();
Result<Preset> txlat();
Result<Preset> vfs();
Result<Preset> xdperr();

} // namespace weir::presets
