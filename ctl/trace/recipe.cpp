#include "trace/recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/lexer.h"
#include "trace/lowering.h"

namespace weir::trace {
namespace {

using text::Parsed;
using Where = Value::Where;

trace_step store(std::uint32_t index) {
    trace_step step{};
    step.operation = TRACE_STORE;
    step.index = static_cast<std::uint16_t>(index);
    return step;
}

trace_step context(trace_context which) {
    trace_step step{};
    step.operation = TRACE_CONTEXT;
    step.index = static_cast<std::uint16_t>(which);
    return step;
}

// How many numbers the stack holds at most, and whether it is ever asked for more than it has.
int deepest(const std::vector<trace_step>& steps) {
    int depth = 0, most = 0;
    for (const trace_step& step : steps) {
        switch (step.operation) {
        case TRACE_CONSTANT:
        case TRACE_ARGUMENT:
        case TRACE_RESULT:
        case TRACE_RECORD:
        case TRACE_CONTEXT:
        case TRACE_SAVED:
        case TRACE_SAME_STRING:
        case TRACE_FLOW:
            most = std::max(most, ++depth);
            break;
        case TRACE_READ:
        case TRACE_READ_USER:
        case TRACE_SIGN:
        case TRACE_BITS:
        case TRACE_SWAP:
        case TRACE_NOT:
        case TRACE_COMM:
        case TRACE_SAVED_COMM:
        case TRACE_END:
            break;
        case TRACE_FOLLOW:
            depth -= 2;
            break;
        default: // all others take one more than they leave
            depth--;
        }
    }
    return most;
}

} // namespace

Parsed<void> RecipeBuilder::require(const Expression& expression) {
    Lowering lowering(*this);
    WEIR_PARSE_CHECK(lowering.number(expression));
    trace_step test{};
    test.operation = TRACE_TEST;
    steps_.push_back(test);
    return {};
}

Parsed<void> RecipeBuilder::close(const Expression& id, std::uint16_t space, bool must) {
    Lowering lowering(*this);
    WEIR_PARSE_CHECK(lowering.number(id));
    trace_step close{};
    close.operation = TRACE_CLOSE;
    close.index = space;
    close.size = must ? 0 : 1;
    steps_.push_back(close);
    return {};
}

Parsed<void> RecipeBuilder::follow(const Expression& packet, std::uint16_t flow,
                                   std::uint16_t space) {
    Lowering lowering(*this);
    if (packet_holder(scope_)) { // elsewhere a packet is known only if it was seen before
        WEIR_PARSE_CHECK(lowering.in_flow(flow, packet));
    } else {
        WEIR_PARSE_CHECK(lowering.number({.kind = Expression::Kind::kNumber, .number = 0}));
    }
    WEIR_PARSE_CHECK(lowering.number(packet));
    trace_step step{};
    step.operation = TRACE_FOLLOW;
    step.index = space;
    steps_.push_back(step);
    return {};
}

Parsed<void> RecipeBuilder::forget(const Expression& packet, std::uint16_t space) {
    Lowering lowering(*this);
    WEIR_PARSE_CHECK(lowering.number(packet));
    trace_step step{};
    step.operation = TRACE_FORGET;
    step.index = space;
    steps_.push_back(step);
    return {};
}

Parsed<void> RecipeBuilder::fetch(const NamedExpression& wanted) {
    Lowering lowering(*this);
    const Expression& expression = wanted.expression;
    WEIR_PARSE(Value value, lowering.lower(expression));
    Field field{.name = wanted.name, .shape = value.shape};
    if (lowering.is_text(value)) {
        if (texts_ == TRACE_STRINGS) {
            return refuse(expression, fmt::format("an event has at most {} texts", TRACE_STRINGS));
        }
        field.shape = Shape::kText;
        field.index = texts_;
        lowering.take_text(value, static_cast<std::uint16_t>(texts_++));
        fields_.push_back(std::move(field));
        return {};
    }
    if (value.where == Where::kMemory) {
        WEIR_PARSE(value, lowering.load(value, expression));
        field.shape = value.shape;
    }
    field.index = numbers_;
    if (value.where == Where::kSource || value.where == Where::kDestination) {
        const bool source = value.where == Where::kSource;
        steps_.push_back(context(source ? CONTEXT_SADDR_HIGH : CONTEXT_DADDR_HIGH));
        steps_.push_back(store(numbers_++));
        steps_.push_back(context(source ? CONTEXT_SADDR_LOW : CONTEXT_DADDR_LOW));
    } else if (value.where != Where::kStack) {
        return refuse(expression, "a constant is no part of an event");
    }
    steps_.push_back(store(numbers_++));
    if (field.shape == Shape::kUserStack) {
        steps_.push_back(context(CONTEXT_PID));
        steps_.push_back(store(numbers_++));
    }
    if (field.shape == Shape::kEnum) {
        field.names = lowering.names_of(value);
    }
    if (numbers_ > TRACE_VALUES) {
        return refuse(expression, fmt::format("an event has at most {} numbers", TRACE_VALUES));
    }
    fields_.push_back(std::move(field));
    return {};
}

Parsed<trace_recipe> RecipeBuilder::finish() const {
    const text::Place begin;
    if (steps_.size() >= TRACE_STEPS) {
        return tl::unexpected(text::TextError{
            begin, fmt::format("too much to compute: {} steps of at most {}; ask for less",
                               steps_.size(), TRACE_STEPS - 1)});
    }
    if (deepest(steps_) > TRACE_STACK) {
        return tl::unexpected(
            text::TextError{begin, "an expression is too deep: use fewer brackets"});
    }
    trace_recipe recipe{};
    std::copy(steps_.begin(), steps_.end(), recipe.steps);
    recipe.numbers = numbers_;
    recipe.texts = texts_;
    recipe.stacks = stacks_;
    return recipe;
}

} // namespace weir::trace
