// apply, and diff: a file against what is in force.
#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<model::Config> read_config(const Words& words) {
    WEIR_TRY(const auto path, operand(words, 0, "FILE"));
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto yaml, read_file(path));
    std::vector<text::Warning> warnings;
    const std::string source = path == "-" ? "stdin" : path;
    WEIR_TRY(auto config, text::parse_config(yaml, source, warnings));
    for (text::Warning& warning : warnings) {
        warning.message = fmt::format("{}:{}:{}: {}", source, warning.place.line,
                                      warning.place.column, warning.message);
    }
    warn_all(warnings);
    return config;
}

Edit replace_by(const model::Config& wanted) {
    return [&wanted](model::Config& config) -> Result<> {
        config = wanted;
        return {};
    };
}

Result<> run_apply(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto wanted, read_config(words));
    if (options.count("dry-run") > 0) {
        WEIR_TRY(const auto tried, try_change(cx, replace_by(wanted)));
        cx.out.text(tried.changes.empty() ? "no change\n" : changes_text(tried.changes));
        cx.out.document({{"changed", false},
                         {"dry_run", true},
                         {"generation", tried.generation},
                         {"changes", changes_json(tried.changes)}});
        return {};
    }
    WEIR_TRY(const auto changed, change(cx, replace_by(wanted)));
    cx.out.text(changes_text(changed.changes));
    report(cx, changed, fmt::format("{} changes applied", changed.changes.size()));
    return {};
}

Result<> run_diff(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(auto wanted, read_config(words));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto config, live_config(session.node));
    keep_seed(config, wanted);
    const auto changes = text::diff(config, wanted);
    cx.out.text(changes.empty() ? "no difference\n" : changes_text(changes));
    cx.out.document({{"equal", changes.empty()}, {"changes", changes_json(changes)}});
    return {};
}

void apply_options(po::options_description& add) {
    add.add_options()("dry-run", "check and compile, print what would change, change nothing");
}

} // namespace

const Verb apply{.path = "apply",
                 .operands = "FILE",
                 .summary = "put a configuration in force, in one step",
                 .details =
                     R"(FILE is YAML; `-` is the standard input. What the file does not say is gone
afterwards; what it says as before keeps its handles and counters. On any error nothing changes.

  weir apply /etc/weir/weir.yaml
  weir export | sed 's/10.0.2.2/10.0.2.9/' | weir apply --dry-run -
)",
                 .options = apply_options,
                 .run = run_apply};

const Verb diff{.path = "diff",
                .operands = "FILE",
                .summary = "show what `weir apply FILE` would change",
                .details =
                    R"(One line for each difference: + is only in FILE, - only in force, ~ changed.
Exit status 0 also where they differ.

  weir diff /etc/weir/weir.yaml
)",
                .run = run_diff};

} // namespace weir::verbs
