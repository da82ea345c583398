#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trace/names.h"
#include "trace/recipe.h"
#include "trace/target.h"

namespace weir::trace {

struct Made {
    trace_recipe recipe;
    std::vector<Field> fields;
};

// A source, and what is computed there: asked for each target, because names mean something else in
// each.
struct Point {
    std::vector<Source> sources; // the first that the kernel has
    std::function<text::Parsed<Made>(const Scope& scope, std::vector<std::string>& words)> make;
    int pid = 0;            // of user functions, the process; 0: all
    std::string label = {}; // what its probes are called, instead of where they are
};

// A probe that is attached.
struct Probe {
    std::string name;
    std::size_t point = 0;
    Backend backend = Backend::kAny;
    std::vector<Field> fields;
};

// Probes that are attached for as long as it lives.
class Session {
public:
    // Refused if not a single probe could be attached; those that could not are told in skipped().
    static Result<Session> start(const std::vector<Point>& points, Backend backend,
                                 const kernel::Tracer::Room& room);

    const std::vector<Probe>& probes() const { return probes_; }
    const std::vector<Skipped>& skipped() const { return skipped_; }
    kernel::Tracer& tracer() { return *tracer_; }
    const kernel::Symbols& symbols() const { return kernel_->symbols; }
    Names names() { return {kernel_->symbols, *tracer_, processes_}; }

private:
    Session() = default;
    std::unique_ptr<Kernel> kernel_; // fields and scopes refer to it
    std::vector<Probe> probes_;
    std::vector<Skipped> skipped_;
    std::unique_ptr<kernel::Tracer> tracer_;
    kernel::ProcessSymbols processes_;
};

} // namespace weir::trace
