#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "output/output.h"
#include "trace/step.h"

// Questions that are asked every day: steps of the tracing engine, and how their answer looks.
// `weir top @blk` is one; each has a file of its own.
namespace weir::presets {

// What is counted in nanoseconds is shown in these.
inline constexpr double kMicrosecond = 1e3, kMillisecond = 1e6, kSecond = 1e9;
inline constexpr double kPercent = 100;

// A cell of a table: what is shown, and what it is in JSON and sorted by.
struct Cell {
    std::string text;
    output::Json value;
};
Cell cell(const std::string& text);
Cell cell(std::uint64_t number);
Cell cell(double number, int decimals);

// What was counted under the same keys.
struct Counted {
    struct Totals {
        std::uint64_t events = 0;
        std::array<std::int64_t, TRACE_SUMS> sums = {};
    };
    std::vector<Cell> keys = {};
    std::vector<Totals> places = {};      // by step
    std::vector<std::uint64_t> read = {}; // what a sampler adds
    double seconds = 0;                   // for so long
};

// Reads what is not traced, and makes rows of it or adds it to rows: what came since it was last
// called.
using Sampler = std::function<Result<>(std::vector<Counted>& rows)>;

// How `weir top` shows it, and `weir trace`: an event is what was counted once.
struct View {
    struct Column {
        std::string title;
        std::string key; // in JSON
        output::Align align = output::Align::kLeft;
        int width = 0; // of lines that come one by one
    };
    std::vector<Column> columns;
    std::size_t sort = 0; // by which column, the largest first, if nothing else is asked for
    std::function<std::vector<Cell>(const Counted&)> row;
    std::function<std::string()> heading = {}; // a line over the table
};

struct Preset {
    std::string name; // "blk"
    std::vector<trace::Step> steps = {};
    double interval = 0;  // seconds, where none is asked for; 0: once, at the end
    bool of_weir = false; // its sampler reads Weir's own maps: the verb's
    // Of a histogram: expressions that the words of --by stand for.
    std::vector<std::pair<std::string, std::string>> by = {};
    View view = {}; // of a table, or of events
    Sampler sample = {};
};

// The preset that the words ask for: none if they do not begin with an @. Refused if the verb has
// none of that name.
Result<std::optional<Preset>> wished(std::string_view verb, const std::vector<std::string>& words);
// "pid" as the preset means it.
trace::Expression meant(const Preset& preset, trace::Expression word);

struct Entry {
    std::string_view verb;
    std::string_view name;
    std::string_view summary;
    Result<Preset> (*make)();
};
const std::vector<Entry>& all();
// Lines for the verb's help.
std::string list(std::string_view verb);

} // namespace weir::presets
