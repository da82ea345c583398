#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "bench/show/page.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

namespace fs = std::filesystem;

struct Refused {
    std::string file;
    std::string why;
};

struct Results {
    std::vector<bench::Shown> shown;
    std::vector<Refused> refused;
};

Result<bench::Shown> read_result(const fs::path& file) {
    WEIR_TRY(const std::string text, read_file(file.string()));
    return bench::show(bench::Json::parse(text, nullptr, false), file.stem().string());
}

Results read_results(const std::vector<fs::path>& files) {
    Results results;
    for (const fs::path& file : files) {
        if (auto shown = read_result(file)) {
            results.shown.push_back(*std::move(shown));
        } else {
            results.refused.push_back({file.string(), shown.error().message()});
        }
    }
    std::stable_sort(results.shown.begin(), results.shown.end(), [](const auto& a, const auto& b) {
        return std::tie(a.place, a.name) < std::tie(b.place, b.name);
    });
    return results;
}

Result<std::map<std::string, std::string>> read_pictures(const fs::path& folder,
                                                         const std::vector<bench::Shown>& shown) {
    std::map<std::string, std::string> pictures;
    for (const bench::Shown& each : shown) {
        for (const bench::Plot& plot : each.plots()) {
            const std::string name = plot.name + ".svg";
            if (fs::exists(folder / name)) { // not without gnuplot
                WEIR_TRY(pictures[name], read_file((folder / name).string()));
            }
        }
    }
    return pictures;
}

Result<> write_page(const fs::path& folder, const std::vector<bench::Shown>& shown,
                    const std::string& file) {
    WEIR_TRY(const auto pages, write_shown(folder, shown));
    WEIR_TRY(const auto pictures, read_pictures(folder, shown));
    std::vector<bench::Chapter> chapters;
    for (std::size_t i = 0; i < shown.size(); i++) {
        chapters.push_back({shown[i].title, pages[i]});
    }
    return write_file(file, bench::html_page("Weir: bench results", chapters, pictures));
}

// Written elsewhere, to be read with the folder beside it: it holds no plots, but names them.
Result<> write_markdown(const fs::path& folder, const std::vector<bench::Shown>& shown,
                        const fs::path& file, const std::string& preface) {
    std::set<std::string> drawn;
    for (const bench::Shown& each : shown) {
        for (const bench::Plot& plot : each.plots()) {
            if (fs::exists(folder / (plot.name + ".svg"))) {
                drawn.insert(plot.name);
            }
        }
    }
    const fs::path from = fs::absolute(file).parent_path();
    const std::string there = (fs::absolute(folder).lexically_relative(from) / "").string();
    return write_file(file,
                      bench::to_markdown_page(shown, drawn, there == "./" ? "" : there, preface));
}

Result<> run_bench_report(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const std::string folder, operand(words, 0, "DIR"));
    WEIR_CHECK(at_most(words, 1));
    if (options.count("preface") > 0 && options.count("markdown") == 0) {
        return usage("--preface: only with --markdown, at the top of whose page it stands");
    }
    std::string page = option_text(options, "output");
    if (page.empty()) {
        page = (fs::path(folder) / "report.html").string();
    }
    WEIR_TRY(const auto files, json_files(folder));
    if (files.empty()) {
        return fail(folder + ": no results here; `weir bench run --out " + folder + "` makes one");
    }
    const Results results = read_results(files);
    for (const Refused& each : results.refused) {
        output::complain(each.file + ": refused: " + each.why);
    }
    if (results.shown.empty()) {
        return fail(folder + ": nothing to report: every file was refused");
    }
    std::string preface;
    if (const std::string file = option_text(options, "preface"); !file.empty()) {
        WEIR_TRY(preface, read_file(file));
    }
    WEIR_CHECK(write_page(folder, results.shown, page));
    if (const std::string file = option_text(options, "markdown"); !file.empty()) {
        WEIR_CHECK(write_markdown(folder, results.shown, file, preface));
    }
    cx.out.text(page + "\n");
    output::Json shown = output::Json::array(), refused = output::Json::array();
    for (const bench::Shown& each : results.shown) {
        shown.push_back({{"name", each.name}, {"title", each.title}});
    }
    for (const Refused& each : results.refused) {
        refused.push_back({{"file", each.file}, {"why", each.why}});
    }
    cx.out.document(
        {{"page", page}, {"results", std::move(shown)}, {"refused", std::move(refused)}});
    if (!results.refused.empty()) {
        return fail(fmt::format("{}: {} of {} files refused; {} shows the others", folder,
                                results.refused.size(), files.size(), page));
    }
    return {};
}

void add_bench_report_options(po::options_description& add) {
    add.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                      "where the page goes [DIR/report.html]")(
        "markdown", po::value<std::string>()->value_name("FILE"),
        "also all chapters as one Markdown page, which names the plots in DIR")(
        "preface", po::value<std::string>()->value_name("FILE"),
        "Markdown that stands in front of that page's chapters");
}

} // namespace

const Verb bench_report{
    .path = "bench report",
    .operands = "DIR",
    .summary = "one HTML page of the results in a folder",
    .details =
        R"(Every *.json in the folder that a `weir bench …` wrote becomes a chapter: the machine, tables,
plots. The page holds its plots and needs no other file. Plots (SVG, PNG; drawn by gnuplot) and
Markdown files are made anew in the folder. Other JSON files are named and refused: exit code 1.

  weir bench run --out results
  weir bench report results
  weir bench report results --markdown results.md --preface about.md
)",
    .options = add_bench_report_options,
    .run = run_bench_report};

} // namespace weir::verbs
