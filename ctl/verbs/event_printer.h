#pragma once

#include <string>

#include "trace/event_text.h"
#include "trace/session.h"
#include "verbs/verb.h"

namespace weir::verbs {

// Wall-clock time of an event, which bears CLOCK_MONOTONIC.
class WallClock {
public:
    WallClock();
    std::string time_of_day(std::uint64_t monotonic) const;

private:
    std::int64_t offset_;
};

// Events, a line each: for people under event_title(), for programs a document.
class EventPrinter {
public:
    // `say`: behind every line.
    EventPrinter(Context& cx, trace::Session& session, std::string say)
        : cx_(cx), session_(session), say_(std::move(say)) {}
    void operator()(const trace_event& event) const;

private:
    std::string text_of(const trace_event& event, const trace::Probe& probe) const;
    output::Json json_of(const trace_event& event, const trace::Probe& probe) const;

    Context& cx_;
    trace::Session& session_;
    std::string say_;
    WallClock clock_ = {};
};
inline constexpr const char* kEventTitle =
    "time             cpu      pid  comm             probe\n";

} // namespace weir::verbs
