#pragma once

#include <vector>

#include "bench/show/show.h"

// One function for each kind of result; show.cpp lists them. The machine, which every result names,
// is shown already. What the document lacks they leave to the exceptions of nlohmann's at() and
// get(), which show() turns into a refusal.
namespace weir::bench {

std::vector<Section> run_sections(const Json& result);
std::vector<Section> net_sections(const Json& result);
std::vector<Section> control_sections(const Json& result);
std::vector<Section> apps_sections(const Json& result);
std::vector<Section> trace_sections(const Json& result);
std::vector<Section> instructions_sections(const Json& result);

} // namespace weir::bench
