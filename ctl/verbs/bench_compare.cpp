#include <fmt/format.h>

#include <algorithm>

#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

namespace fs = std::filesystem;

// Before, and after.
using Pair = std::pair<bench::Evidence, bench::Evidence>;

// Files of the same name in both folders, or the two files. Of a folder, what is no result that can
// be compared (a table of instructions, say) is passed over.
Result<std::vector<Pair>> read_pairs(const fs::path& before, const fs::path& after) {
    std::vector<Pair> pairs;
    if (!fs::is_directory(before) && !fs::is_directory(after)) {
        WEIR_TRY(auto one, evidence_in(before));
        WEIR_TRY(auto other, evidence_in(after));
        pairs.emplace_back(std::move(one), std::move(other));
    } else {
        WEIR_TRY(const auto files, json_files(before));
        for (const fs::path& file : files) {
            auto one = evidence_in(file);
            auto other = one && fs::exists(after / file.filename())
                             ? evidence_in(after / file.filename())
                             : fail("not there");
            if (one && other) {
                pairs.emplace_back(*std::move(one), *std::move(other));
            }
        }
    }
    for (const auto& [one, other] : pairs) {
        if (one.kind != other.kind) {
            return fail(fmt::format("{} is a result of `weir bench {}`, {} of `weir bench {}`: no "
                                    "two of a kind",
                                    before.string(), one.kind, after.string(), other.kind));
        }
    }
    return pairs;
}

// As precise as a reader wants it: four digits, of large numbers all before the point.
std::string number(double value) {
    return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string with_spread(const bench::Figure& figure) {
    return fmt::format("{} ({}-{})", number(figure.median), number(figure.lower),
                       number(figure.upper));
}

double change_of(const bench::Change& each) {
    return each.after.median / each.before.figure.median - 1;
}

std::string text_of(const bench::Comparison& compared, bool all) {
    output::Table table({{"case"},
                         {"of"},
                         {"before", output::Align::kRight},
                         {"after", output::Align::kRight},
                         {"change", output::Align::kRight},
                         {""}});
    for (const bench::Change& each : compared.changes) {
        if (all || each.moved) {
            table.row({each.before.of, each.before.what, with_spread(each.before.figure),
                       with_spread(each.after), fmt::format("{:+.0f} %", 100 * change_of(each)),
                       all && each.moved ? "moved" : ""});
        }
    }
    std::string text = fmt::format("{}: {} of {} medians moved by more than both spreads",
                                   compared.kind, compared.moved(), compared.changes.size());
    if (compared.allowed() > 0) {
        text += fmt::format(" and {:.0f} %\n(the same code's time: {:.0f} % of drift before, "
                            "{:.0f} % after, {:.0f} "
                            "% between the two)",
                            100 * compared.allowed(), 100 * compared.before, 100 * compared.after,
                            100 * compared.between);
    }
    const bool rows = all ? !compared.changes.empty() : compared.moved() > 0;
    return text + "\n" + (rows ? "\n" + table.to_string() : "");
}

output::Json json_of(const bench::Comparison& compared) {
    output::Json changes = output::Json::array();
    for (const bench::Change& each : compared.changes) {
        changes.push_back({{"name", each.before.of},
                           {"of", each.before.what},
                           {"before", bench::to_json(each.before.figure)},
                           {"after", bench::to_json(each.after)},
                           {"moved", each.moved}});
    }
    return {
        {"kind", compared.kind},
        {"drift",
         {{"before", compared.before}, {"after", compared.after}, {"between", compared.between}}},
        {"figures", compared.changes.size()},
        {"moved", compared.moved()},
        {"changes", std::move(changes)}};
}

Result<> run_bench_compare(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const std::string before, operand(words, 0, "BEFORE"));
    WEIR_TRY(const std::string after, operand(words, 1, "AFTER"));
    WEIR_CHECK(at_most(words, 2));
    for (const std::string& each : {before, after}) {
        if (!fs::exists(each)) {
            return fail(each + ": no such file or folder");
        }
    }
    WEIR_TRY(const auto pairs, read_pairs(before, after));
    if (pairs.empty()) {
        return fail(fmt::format("{} and {} have no results of the same name; `weir bench all --out "
                                "DIR` makes them",
                                before, after));
    }
    std::string text;
    output::Json comparisons = output::Json::array();
    for (const auto& [one, other] : pairs) {
        const bench::Comparison compared = bench::compare(one, other);
        text += (text.empty() ? "" : "\n") + text_of(compared, options.count("all") > 0);
        comparisons.push_back(json_of(compared));
    }
    cx.out.text(text);
    cx.out.document({{"comparisons", std::move(comparisons)}});
    return {};
}

void add_bench_compare_options(po::options_description& add) {
    add.add_options()("all", "every figure, not only what moved");
}

} // namespace

const Verb bench_compare{
    .path = "bench compare",
    .operands = "BEFORE AFTER",
    .summary = "what moved between two results, beyond what chance and the machine explain",
    .details =
        R"(Two result files of the same kind, or two folders, of which files of the same name are compared.
A median moved if it lies further off than both spreads (quartiles) together and a share on top: the
largest of what the time of the same code (empty programs, the direct way, a fixed piece of work) changed by during
the one, during the other, and between the two.

  weir bench all --out before
  weir bench all --out after
  weir bench compare before after
)",
    .options = add_bench_compare_options,
    .run = run_bench_compare};

} // namespace weir::verbs
