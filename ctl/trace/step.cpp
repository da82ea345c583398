#include "trace/step.h"

#include <map>
#include <memory>

#include "text/lexer.h"

namespace weir::trace {
namespace {

using text::Parsed;
using Kind = Expression::Kind;

constexpr trace_sink sink_of(Sink sink) {
    switch (sink) {
    case Sink::kNothing:
        return TRACE_NOTHING;
    case Sink::kEvent:
        return TRACE_EVENT;
    case Sink::kCount:
        return TRACE_COUNT;
    case Sink::kHistogram:
        return TRACE_HISTOGRAM;
    case Sink::kOpen:
        break;
    }
    return TRACE_OPEN;
}

Parsed<void> choose(const Choice& choice, const std::string& process, RecipeBuilder& builder) {
    if (choice.pid != 0) {
        WEIR_PARSE_CHECK(
            builder.require({.kind = Kind::kBinary,
                             .text = "==",
                             .children = {{.kind = Kind::kName, .text = process},
                                          {.kind = Kind::kNumber,
                                           .number = static_cast<std::uint64_t>(choice.pid)}}}));
    }
    return choice.where ? builder.require(*choice.where) : Parsed<void>{};
}

// Names of a scope that can be shown as they are.
std::vector<std::string> shown_names(const Scope& scope) {
    std::vector<std::string> names;
    for (const auto& [name, type] : scope.arguments) {
        if (!name.empty()) {
            names.push_back(name);
        }
    }
    for (const RecordField& field : scope.record) {
        if (field.shape != RecordField::Shape::kOctets) {
            names.push_back(field.name);
        }
    }
    if (scope.result) {
        names.emplace_back("retval");
    }
    return names;
}

// Spaces of functions, each of its own: entry and return of the same name have the same.
using Spaces = std::map<std::string, std::uint16_t>;

struct Maker {
    Step step;
    Choice choice;
    std::shared_ptr<Spaces> spaces;

    Parsed<Made> operator()(const Scope& given, std::vector<std::string>& words) const {
        Scope scope = given;
        scope.closes = step.closes.has_value();
        scope.packet = step.packet;
        RecipeBuilder builder(scope, words);
        if (step.closes) {
            WEIR_PARSE_CHECK(builder.close(step.closes->id, space(step.closes->space, scope),
                                           step.closes->must));
        }
        if (step.follows) {
            WEIR_PARSE_CHECK(
                builder.follow(step.follows->packet, step.follows->flow, step.follows->space));
            if (step.follows->ends) {
                WEIR_PARSE_CHECK(builder.forget(step.follows->packet, step.follows->space));
            }
        }
        if (step.chosen) {
            WEIR_PARSE_CHECK(choose(choice, step.process, builder));
        }
        for (const Expression& each : step.where) {
            WEIR_PARSE_CHECK(builder.require(each));
        }
        WEIR_PARSE(const std::size_t keys, fetch(builder, scope));
        WEIR_PARSE(trace_recipe recipe, builder.finish());
        recipe.sink = sink_of(step.sink);
        recipe.keys = static_cast<std::uint32_t>(keys);
        recipe.space = space(step.space, scope);
        recipe.own_process = step.own_process ? 1 : 0;
        recipe.scale = step.scale.kind;
        recipe.from = step.scale.from;
        recipe.width = step.scale.width;
        std::vector<Field> fields = builder.fields();
        fields.resize(fields.size() - step.sums);
        return Made{recipe, std::move(fields)};
    }

private:
    std::uint16_t space(std::uint16_t first, const Scope& scope) const {
        const auto next = static_cast<std::uint16_t>(first + spaces->size());
        return step.space_of_each ? spaces->emplace(scope.of, next).first->second : first;
    }

    // How many numbers are keys.
    Parsed<std::size_t> fetch(RecipeBuilder& builder, const Scope& scope) const {
        if (step.everything) {
            for (const std::string& name : shown_names(scope)) {
                // What does not fit an event, or is a structure by value, is left out.
                (void)builder.fetch({name, {.kind = Kind::kName, .text = name}});
            }
        }
        std::size_t keys = builder.numbers();
        for (std::size_t i = 0; i < step.values.size(); i++) {
            WEIR_PARSE_CHECK(builder.fetch(step.values[i]));
            if (i + step.sums < step.values.size()) {
                keys = builder.numbers();
            }
        }
        return keys;
    }
};

} // namespace

std::vector<Point> points_of(const std::vector<Step>& steps, const Choice& choice) {
    const auto spaces = std::make_shared<Spaces>();
    std::vector<Point> points;
    for (const Step& step : steps) {
        points.push_back({step.sources, Maker{step, choice, spaces}, choice.pid, step.label});
    }
    return points;
}

namespace {

Result<std::vector<Source>> parse_sources(std::string_view words) {
    std::vector<Source> sources;
    for (;;) {
        const std::size_t bar = words.find(" | ");
        WEIR_TRY(auto source, parse_source(words.substr(0, bar)));
        sources.push_back(std::move(source));
        if (bar == std::string_view::npos) {
            return sources;
        }
        words.remove_prefix(bar + 3);
    }
}

Result<Expression> parse(std::string_view words) {
    auto expression = parse_expression(words);
    if (!expression) {
        return fail(text::to_error(expression.error(), ""));
    }
    return *std::move(expression);
}

} // namespace

Result<std::vector<Step>> parse_steps(const std::vector<StepWords>& all) {
    std::vector<Step> steps;
    for (const StepWords& words : all) {
        Step step{.chosen = words.chosen,
                  .process = words.process,
                  .packet = words.packet,
                  .sums = words.sums,
                  .sink = words.sink,
                  .space = words.space,
                  .own_process = words.own_process,
                  .scale = words.scale,
                  .label = words.label};
        WEIR_TRY(step.sources, parse_sources(words.source));
        if (words.closes != nullptr) {
            WEIR_TRY(auto id, parse(words.closes));
            step.closes = Close{std::move(id), words.closes_in, words.must};
        }
        if (!words.follows.empty()) {
            WEIR_TRY(auto packet, parse(words.follows));
            step.follows = Follow{std::move(packet), words.ends};
        }
        for (const char* each : {words.where, words.also}) {
            if (each != nullptr) {
                WEIR_TRY(auto where, parse(each));
                step.where.push_back(std::move(where));
            }
        }
        if (!words.values.empty()) {
            auto values = parse_list(words.values);
            if (!values) {
                return fail(text::to_error(values.error(), ""));
            }
            step.values = *std::move(values);
        }
        steps.push_back(std::move(step));
    }
    return steps;
}

} // namespace weir::trace
