#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "output/output.h"
#include "trace/session.h"
#include "verbs/verb.h"

// The documents of `weir trace`, and the lines that people read, which are made of these alone:
// what a file holds is printed later as it would have been at once.
namespace weir::verbs {

// What the documents of one command have in common.
struct TraceHeader {
    std::vector<std::string> command; // its words
    std::string title;                // shown before the first document
    std::string version;              // of weir
    std::string kernel;               // its release
    std::int64_t wall_clock_ns = 0;   // to be added to CLOCK_MONOTONIC, for UTC since 1970
    std::int64_t zone_s = 0;          // then, for the time of day there
    output::Json texts;               // by probe: names of the values that are texts, not names of
                                      // something; these are shown in quotes

    static TraceHeader of(const trace::Session& session, std::string title);
    output::Json to_json() const;
    // nullopt: it is none.
    static std::optional<TraceHeader> parse(const output::Json& document);
};

// Of an event, where the command ran.
std::string time_of_day(double seconds, const TraceHeader& header);

output::Json event_document(const trace_event& event, const trace::Probe& probe,
                            const trace::Names& names, const std::string& say);
// A document's line; of an event with stacks, several.
std::string event_text(const output::Json& event, const TraceHeader& header);

inline constexpr const char* kEventTitle =
    "time             cpu      pid  comm             probe\n";

// Prints documents as --json or as text.
class TraceOutput {
public:
    TraceOutput(Context& cx, TraceHeader header) : cx_(cx), header_(std::move(header)) {}
    // An event, or the closing.
    void show(const output::Json& document) const;
    // What show() prints without --json. Throws what the JSON library throws if it is neither.
    std::string text(const output::Json& document) const;

private:
    Context& cx_;
    TraceHeader header_;
};

} // namespace weir::verbs
