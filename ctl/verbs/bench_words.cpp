#include "verbs/bench_words.h"

#include "bench/comparison.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace weir::verbs {

using bench::NetMode;

Words items(const std::string& list) {
    Words words;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t comma = std::min(list.find(',', at), list.size());
        words.push_back(list.substr(at, comma - at));
        at = comma + 1;
    }
    return words;
}

Result<> parse_count(const po::variables_map& options, const char* name, std::uint64_t least,
                     std::uint64_t most, std::uint32_t& into) {
    if (options.count(name) > 0) {
        WEIR_TRY(const auto value,
                 parse_number(option_text(options, name), fmt::format("--{}", name), least, most));
        into = static_cast<std::uint32_t>(value);
    }
    return {};
}

Result<> parse_modes(const po::variables_map& options, std::vector<NetMode>& into) {
    if (options.count("mode") > 0) {
        WEIR_TRY(const auto at,
                 parse_choice(option_text(options, "mode"), "mode", {"native", "generic", "both"}));
        into = {NetMode::kNative, NetMode::kGeneric};
        if (at < into.size()) {
            into = {into[at]};
        }
    }
    return {};
}

Result<Words> parse_peer_names(const po::variables_map& options, const Words& known) {
    if (options.count("peers") == 0) {
        return Words{};
    }
    Words chosen = items(option_text(options, "peers"));
    for (const std::string& word : chosen) {
        WEIR_CHECK(parse_choice(word, "peer", {known.begin(), known.end()}));
    }
    return chosen;
}

void show_progress(const std::string& line) {
    if (isatty(STDERR_FILENO) != 0) {
        fmt::print(stderr, "\r\x1b[K{}", line);
        std::fflush(stderr);
    }
}

std::string headline(const bench::Origin& origin) {
    return fmt::format("{}, kernel {}, {} x {}", origin.weir, origin.kernel, origin.cpus,
                       origin.processor);
}

std::string drift_line(const bench::Json& document) {
    return fmt::format("\ndrift {:.0f} %: by so much the time of the same code changed meanwhile\n",
                       100 * bench::drift_of(document));
}

std::string quartiles(const bench::Figure& figure, int digits) {
    return fmt::format("{:.{}f}-{:.{}f}", figure.lower, digits, figure.upper, digits);
}

} // namespace weir::verbs
