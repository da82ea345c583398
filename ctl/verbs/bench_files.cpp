#include "verbs/bench_files.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>

#include "bench/show/gnuplot.h"
#include "output/output.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

namespace fs = std::filesystem;

// Names of the plots whose files are there now.
Result<std::set<std::string>> draw(const fs::path& folder, const std::vector<bench::Plot>& plots) {
    WEIR_TRY(const auto drawn, bench::run_gnuplot(bench::gnuplot_script(plots), folder));
    if (drawn == bench::Drawn::kNoGnuplot) {
        output::warn("no plots: gnuplot is missing; it is in the package gnuplot-nox");
        return {};
    }
    std::set<std::string> names;
    for (const bench::Plot& plot : plots) {
        names.insert(plot.name);
    }
    return names;
}

} // namespace

Result<> write_file(const fs::path& path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
    if (!file) {
        return fail_errno("writing " + path.string(), errno);
    }
    return {};
}

Result<bench::Evidence> evidence_in(const fs::path& file) {
    WEIR_TRY(const std::string text, read_file(file.string()));
    auto evidence = bench::read_evidence(bench::Json::parse(text, nullptr, false));
    return evidence ? std::move(evidence) : fail(std::move(evidence).error().while_(file.string()));
}

Result<std::vector<fs::path>> json_files(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".json") {
            files.push_back(entry.path());
        }
    }
    if (error) {
        return fail(folder.string() + ": " + error.message());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Result<std::string> out_folder(const po::variables_map& options) {
    std::string folder = option_text(options, "out");
    std::error_code error;
    if (!folder.empty()) {
        fs::create_directories(folder, error);
    }
    return error ? Result<std::string>(fail("making " + folder + ": " + error.message())) : folder;
}

Result<std::vector<std::string>> write_shown(const fs::path& folder,
                                             const std::vector<bench::Shown>& shown) {
    std::vector<bench::Plot> plots;
    for (const bench::Shown& each : shown) {
        const auto its = each.plots();
        plots.insert(plots.end(), its.begin(), its.end());
    }
    WEIR_TRY(const auto drawn, draw(folder, plots));
    std::vector<std::string> pages;
    for (const bench::Shown& each : shown) {
        pages.push_back(bench::to_markdown(each, drawn));
        WEIR_CHECK(write_file(folder / (each.name + ".md"), pages.back()));
    }
    return pages;
}

Result<> write_result(const fs::path& folder, const bench::Json& document) {
    WEIR_TRY(const auto shown, bench::show(document));
    WEIR_CHECK(write_file(folder / (shown.name + ".json"), document.dump(2) + "\n"));
    WEIR_CHECK(write_shown(folder, {shown}));
    return {};
}

} // namespace weir::verbs
