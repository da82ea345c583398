#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <thread>
#include <unistd.h>

#include "output/units.h"
#include "verbs/all.h"
#include "verbs/sample.h"
#include "verbs/state.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

using output::Align;
using output::Json;
using output::Table;
using std::chrono::duration;
using std::chrono::steady_clock;

bool counts_bytes(const Section& section) {
    return section.count_titles.size() > 1 && section.count_titles[1] == "bytes";
}

std::string plain(const Json& name) {
    return name.is_string() ? name.get<std::string>() : name.dump();
}

// Rules may be many: those that never matched are left out for people, never in JSON.
bool worth_showing(const Section& section, const SampleRow& row) {
    return section.key != "rules" || row.counts[0] > 0;
}

std::string section_text(const Section& section, const Table& table) {
    return table.empty() ? "" : fmt::format("{}:\n{}\n", section.title, table.to_string());
}

std::string totals_text(const Sample& sample) {
    std::string text;
    for (const Section& section : sample.sections) {
        std::vector<output::Column> columns;
        for (const std::string& title : section.name_titles) {
            columns.push_back({title});
        }
        for (const std::string& title : section.count_titles) {
            columns.push_back({title, Align::kRight});
        }
        Table table(columns);
        for (const SampleRow& row : section.rows) {
            if (!worth_showing(section, row)) {
                continue;
            }
            std::vector<std::string> cells;
            for (const Json& name : row.names) {
                cells.push_back(plain(name));
            }
            for (const std::uint64_t count : row.counts) {
                cells.push_back(std::to_string(count));
            }
            table.row(std::move(cells));
        }
        text += section_text(section, table);
    }
    text.resize(text.empty() ? 0 : text.size() - 1); // the blank line behind the last
    return text;
}

Json row_json(const Section& section, const SampleRow& row) {
    Json json = Json::object();
    for (std::size_t i = 0; i < row.names.size(); i++) {
        json[section.name_titles[i]] = row.names[i];
    }
    for (std::size_t i = 0; i < row.counts.size(); i++) {
        json[section.count_titles[i]] = row.counts[i];
    }
    return json;
}

// Per second, between two samples.
struct Rate {
    double packets = 0;
    double bits = 0;
};

// The counters of the same things in an earlier sample.
class Before {
public:
    Before(const Sample& earlier, const Sample& now)
        : seconds_(duration<double>(now.taken - earlier.taken).count()) {
        for (const Section& section : earlier.sections) {
            for (const SampleRow& row : section.rows) {
                counts_[key(section, row)] = row.counts;
            }
        }
    }

    double seconds() const { return seconds_; }

    Rate rate(const Section& section, const SampleRow& row) const {
        const auto found = counts_.find(key(section, row));
        const auto per_second = [&](std::size_t i) {
            const std::uint64_t old = found == counts_.end() ? 0 : found->second[i];
            // A counter that was reset between: all it shows is new.
            const std::uint64_t grown = row.counts[i] >= old ? row.counts[i] - old : row.counts[i];
            return seconds_ > 0 ? static_cast<double>(grown) / seconds_ : 0;
        };
        return {per_second(0), counts_bytes(section) ? 8 * per_second(1) : 0};
    }

private:
    static std::string key(const Section& section, const SampleRow& row) {
        return section.key + Json(row.names).dump(-1, ' ', false, Json::error_handler_t::replace);
    }

    double seconds_;
    std::map<std::string, std::vector<std::uint64_t>> counts_;
};

std::string rates_text(const Sample& sample, const Before& before) {
    std::string text;
    for (const Section& section : sample.sections) {
        std::vector<output::Column> columns;
        for (const std::string& title : section.name_titles) {
            columns.push_back({title});
        }
        columns.push_back({"packets/s", Align::kRight});
        columns.push_back({counts_bytes(section) ? "bits/s" : "", Align::kRight});
        Table table(columns);
        for (const SampleRow& row : section.rows) {
            if (!worth_showing(section, row)) {
                continue;
            }
            std::vector<std::string> cells;
            for (const Json& name : row.names) {
                cells.push_back(plain(name));
            }
            const Rate rate = before.rate(section, row);
            cells.push_back(output::packet_rate(rate.packets));
            cells.push_back(counts_bytes(section) ? output::bit_rate(rate.bits) : "");
            table.row(std::move(cells));
        }
        text += section_text(section, table);
    }
    return text;
}

Json sample_json(const Sample& sample, const Before* before) {
    Json document{{"generation", sample.generation}};
    if (before != nullptr) {
        document["seconds"] = before->seconds();
    }
    for (const Section& section : sample.sections) {
        Json rows = Json::array();
        for (const SampleRow& row : section.rows) {
            Json json = row_json(section, row);
            if (before != nullptr) {
                const Rate rate = before->rate(section, row);
                json["packets_per_second"] = rate.packets;
                if (counts_bytes(section)) {
                    json["bits_per_second"] = rate.bits;
                }
            }
            rows.push_back(std::move(json));
        }
        document[section.key] = std::move(rows);
    }
    return document;
}

// The lock is held for the look alone, so that others can change things between.
Result<Sample> look(Context& cx) {
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    return take_sample(session.node);
}

Result<> watch(Context& cx, duration<double> interval) {
    // Ctrl-C is how a watch ends: nothing is left to clean up, and what was printed is flushed.
    std::signal(SIGINT, [](int) { _exit(0); });
    std::signal(SIGTERM, [](int) { _exit(0); });
    const bool redraw = isatty(STDOUT_FILENO) == 1;
    WEIR_TRY(auto earlier, look(cx));
    auto next = steady_clock::now();
    while (true) {
        next += std::chrono::duration_cast<steady_clock::duration>(interval);
        std::this_thread::sleep_until(next);
        WEIR_TRY(auto now, look(cx));
        const Before before(earlier, now);
        cx.out.text((redraw ? "\033[H\033[J" : "") +
                    fmt::format("generation {}, {:.1f} s\n\n", now.generation, before.seconds()) +
                    rates_text(now, before));
        cx.out.document(sample_json(now, &before));
        if (cx.out.flush() != 0) {
            return {}; // nobody reads it any more; main says so where it is an error
        }
        earlier = std::move(now);
    }
}

Result<duration<double>> parse_watch(const std::string& word) {
    char* end = nullptr;
    const double seconds = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0' || !std::isfinite(seconds) || seconds < 0.1 ||
        seconds > 86400) {
        return usage(fmt::format("--watch '{}': expected seconds from 0.1 to 86400", word));
    }
    return duration<double>(seconds);
}

Result<> run_stats(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    if (options.count("watch") > 0) {
        WEIR_TRY(const auto interval, parse_watch(option_text(options, "watch")));
        return watch(cx, interval);
    }
    WEIR_TRY(const auto sample, look(cx));
    cx.out.text(totals_text(sample));
    cx.out.document(sample_json(sample, nullptr));
    return {};
}

void add_stats_options(po::options_description& add) {
    add.add_options()("watch", po::value<std::string>()->implicit_value("1")->value_name("SECONDS"),
                      "packets and bits per second, again and again, every second or as said");
}

} // namespace

const Verb stats{
    .path = "stats",
    .operands = "",
    .summary = "show counters of interfaces, rules, services, backends and drops",
    .details = R"(Octets are those of frames as received, from the Ethernet header. With --watch, a
terminal is redrawn; elsewhere, and with --json, each interval is printed behind the last.
Ctrl-C ends it with exit status 0.

  weir stats
  weir stats --watch 5
)",
    .options = add_stats_options,
    .run = run_stats};

} // namespace weir::verbs
