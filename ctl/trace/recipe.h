#pragma once

#include <vector>

#include "maps/trace.h"
#include "trace/expression.h"
#include "trace/scope.h"

namespace weir::trace {

// Makes a recipe of expressions: what they mean is looked up in the scope, so that places and sizes
// are those of the running kernel.
class RecipeBuilder {
public:
    // `words`: texts that recipes of the session compare with; new ones are added.
    RecipeBuilder(const Scope& scope, std::vector<std::string>& words)
        : scope_(scope), words_(words) {}

    // Only events for which it is not 0 are ones.
    text::Parsed<void> require(const Expression& expression);
    // The value becomes a part of the event.
    text::Parsed<void> fetch(const NamedExpression& wanted);
    // What was opened in that space under the value is closed; without one the event is none, or,
    // unless it `must` be there, the event's process has opened it now.
    text::Parsed<void> close(const Expression& id, std::uint16_t space, bool must = true);

    // Only events of packets that are followed are ones: those of the flow of that index (see
    // Room::flows) from now on, whatever becomes of their addresses. `packet`: its address.
    text::Parsed<void> follow(const Expression& packet, std::uint16_t flow, std::uint16_t space);
    // The packet ends here.
    text::Parsed<void> forget(const Expression& packet, std::uint16_t space);

    const std::vector<Field>& fields() const { return fields_; }
    std::uint32_t numbers() const { return numbers_; } // of the event, so far
    // With its sink still to be set.
    text::Parsed<trace_recipe> finish() const;

private:
    friend class Lowering;
    const Scope& scope_;
    std::vector<std::string>& words_;
    std::vector<trace_step> steps_ = {};
    std::vector<Field> fields_ = {};
    std::uint32_t numbers_ = 0, texts_ = 0, stacks_ = 0;
    bool packet_read_ = false; // the packet's addresses are in the context
};

} // namespace weir::trace
