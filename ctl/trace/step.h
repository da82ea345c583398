#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trace/histogram.h"
#include "trace/session.h"

// What is traced, as a list of places: `weir top`, `hist` and the presets are all made of these.
namespace weir::trace {

enum class Sink { kNothing, kEvent, kCount, kHistogram, kOpen };

// What was opened in that space under the same id ends here.
struct Close {
    Expression id;
    std::uint16_t space = 0;
    bool must = true; // else, with nothing open, it is as if the event's process had opened it now
};

// Packets of a flow are followed from where they are first seen; see RecipeBuilder::follow().
struct Follow {
    Expression packet;
    bool ends = false; // here
    std::uint16_t flow = 0;
    std::uint16_t space = 0;
};

// One place in a pipeline: what happens at its source, in this order.
struct Step {
    std::vector<Source> sources =
        {}; // one; or several, of which the first that the kernel has is taken
    std::optional<Close> closes = {};
    std::optional<Follow> follows = {};
    bool chosen = true;               // the user's choice of events applies here
    std::string process = "self_pid"; // which the user's choice of process means
    std::string packet =
        {}; // the argument that addresses and ports are of, where there are several
    std::vector<Expression> where = {};       // one after the other: the first that is 0 is the end
    std::vector<NamedExpression> values = {}; // keys first, then what is summed up
    bool everything = false;                  // instead of values, all that the source has
    std::size_t sums = 0;                     // how many of the values are no keys
    Sink sink = Sink::kNothing;
    // Of Sink::kOpen, whose first value is the id, and of `closes`.
    std::uint16_t space = 0;
    bool own_process = false; // what is opened has the event's process, not that of what is closed
    bool space_of_each = false; // each function has one of its own, counted from `space` on
    Scale scale = {};
    std::string label = {}; // what its probes are called, instead of where they are
};

// The user's choice of events.
struct Choice {
    int pid = 0; // 0: every process
    std::optional<Expression> where = {};
};

std::vector<Point> points_of(const std::vector<Step>& steps, const Choice& choice);

// A step in words, as presets have it: `sources` and `values` by commas, expressions as of --where.
struct StepWords {
    std::string source; // "tp:a:b | tp:c:d": the first that the kernel has
    const char* closes = nullptr;
    std::uint16_t closes_in = 0;
    bool must = true;
    std::string follows = {}; // a packet's address
    bool ends = false;
    bool chosen = true;
    const char* process = "self_pid";
    const char* packet = "";
    const char* where = nullptr;
    const char* also = nullptr; // as well, and only then looked at
    std::string values = {};
    std::size_t sums = 0;
    Sink sink = Sink::kNothing;
    std::uint16_t space = 0;
    bool own_process = false;
    Scale scale = {};
    const char* label = "";
};
Result<std::vector<Step>> parse_steps(const std::vector<StepWords>& all);

} // namespace weir::trace
