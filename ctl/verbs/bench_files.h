#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/comparison.h"
#include "bench/show/show.h"
#include "verbs/verb.h"

// The folder of `weir bench … --out DIR` and `weir bench report DIR`.
namespace weir::verbs {

// --out: "" if it is not given. Makes the folder if need be, before there is work to lose.
Result<std::string> out_folder(const po::variables_map& options);

// Writes a result of any kind into a folder: KIND.json, KIND.md, and its plots as SVG and PNG.
Result<> write_result(const std::filesystem::path& folder, const bench::Json& document);

// Draws the plots of results there and writes their Markdown, NAME.md, which it answers. Without
// gnuplot there is one warning, and the rest.
Result<std::vector<std::string>> write_shown(const std::filesystem::path& folder,
                                             const std::vector<bench::Shown>& shown);

// Of a result file, for comparing it.
Result<bench::Evidence> evidence_in(const std::filesystem::path& file);

// The files *.json of a folder, by name.
Result<std::vector<std::filesystem::path>> json_files(const std::filesystem::path& folder);

Result<> write_file(const std::filesystem::path& path, const std::string& text);

} // namespace weir::verbs
