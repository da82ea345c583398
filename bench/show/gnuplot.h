#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace weir::bench {

enum class Drawn { kYes, kNoGnuplot };

// Has gnuplot(1) execute the script in the folder. What it complains about is the error.
Result<Drawn> run_gnuplot(const std::string& script, const std::filesystem::path& folder);

} // namespace weir::bench
