#pragma once

#include <string>

#include "verbs/trace_lines.h"

namespace weir::verbs {

// Events, a line each: for people under kEventTitle, for programs a document.
class EventPrinter {
public:
    // `say`: behind every line.
    EventPrinter(Context& cx, trace::Session& session, std::string say)
        : output_(cx, TraceHeader::of(session)), session_(session), say_(std::move(say)) {}
    void operator()(const trace_event& event) const {
        output_.show(
            event_document(event, session_.probes().at(event.probe), session_.names(), say_));
    }

private:
    TraceOutput output_;
    trace::Session& session_;
    std::string say_;
};

} // namespace weir::verbs
