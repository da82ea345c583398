#include "trace/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace weir::trace {
namespace {

// More entries than this are attached by one link, where the kernel can: a hit costs a twentieth
// more instructions than by fentry (bench/results/trace-6.12.json), but each fentry is verified on its
// own and detached on its own, for which the kernel waits (synchronize_rcu_tasks()). Of returns it
// takes more, for a link waits for a limited number of them (kernel/trace/fprobe.c).
constexpr std::size_t kManyEntries = 8, kManyReturns = 50;

struct Spot {
    Target target;
    std::size_t point;
};

bool is_function(const Spot& place) {
    return place.target.kind == Target::Kind::kFunction;
}

bool is_program(const Spot& place) {
    return place.target.kind == Target::Kind::kProgram;
}

// More functions at that end than one by one is good for.
bool are_many(const std::vector<Spot>& places, bool exit) {
    const auto count = std::count_if(places.begin(), places.end(), [&](const Spot& place) {
        return is_function(place) && place.target.exit == exit;
    });
    return static_cast<std::size_t>(count) > (exit ? kManyReturns : kManyEntries);
}

// Ways of attaching that are tried, one after the other.
using Ways = std::vector<Backend>;

Result<Ways> ways_of(const std::vector<Spot>& places, Backend forced) {
    const auto functions =
        static_cast<std::size_t>(std::count_if(places.begin(), places.end(), is_function));
    const bool of_points = forced == Backend::kTracepoint || forced == Backend::kRawTracepoint;
    if (functions > 0 && of_points) {
        return usage(fmt::format(
            "--backend {}: functions are probed by fentry, kprobe.multi or kprobe", name(forced)));
    }
    const bool of_functions =
        forced == Backend::kFentry || forced == Backend::kMulti || forced == Backend::kKprobe;
    const auto programs =
        static_cast<std::size_t>(std::count_if(places.begin(), places.end(), is_program));
    if (programs > 0 && forced != Backend::kAny && forced != Backend::kFentry) {
        return usage(
            fmt::format("--backend {}: BPF programs are probed by fentry alone", name(forced)));
    }
    if (functions + programs < places.size() && of_functions) {
        return usage(
            fmt::format("--backend {}: only kernel functions are probed so", name(forced)));
    }
    if (functions > 0 && forced == Backend::kUprobe) {
        return usage("--backend uprobe: only functions of processes are probed so");
    }
    if (forced != Backend::kAny) {
        return Ways{forced};
    }
    return are_many(places, false) || are_many(places, true)
               ? Ways{Backend::kMulti, Backend::kFentry, Backend::kKprobe}
               : Ways{Backend::kFentry, Backend::kKprobe};
}

bool among(const Ways& ways, Backend backend) {
    return std::find(ways.begin(), ways.end(), backend) != ways.end();
}

// Attaches places one after the other; what it has made so far stays.
class Attacher {
public:
    Attacher(const std::vector<Point>& points, const Kernel& kernel, kernel::Tracer& tracer)
        : points_(points), kernel_(kernel), tracer_(tracer) {}

    // By the first of `ways` that works. An error names what each met.
    Result<> attach(const Spot& place, const Ways& ways);
    // Functions by one link for entries and one for returns, if they are many or `all`. Gives those
    // places that are left to attach one by one: the others, and where more is asked for than is
    // seen there.
    Result<std::vector<Spot>> attach_at_once(const std::vector<Spot>& places, bool all);

    std::vector<Probe> probes;

private:
    Result<std::uint32_t> recipe_index(const trace_recipe& recipe);
    // The probe and its cookie; it counts once it is in `probes`.
    Result<std::pair<Probe, std::uint64_t>> prepare(const Spot& place, Backend way);
    Result<> attach_by(const Spot& place, Backend way, std::uint64_t cookie);

    const std::vector<Point>& points_;
    const Kernel& kernel_;
    kernel::Tracer& tracer_;
    std::vector<trace_recipe> recipes_;
    std::vector<std::string> words_;
};

Result<std::uint32_t> Attacher::recipe_index(const trace_recipe& recipe) {
    for (std::uint32_t i = 0; i < recipes_.size(); i++) {
        if (std::memcmp(&recipes_[i], &recipe, sizeof(recipe)) == 0) {
            return i;
        }
    }
    const auto index = static_cast<std::uint32_t>(recipes_.size());
    if (index == TRACE_RECIPES) {
        return fail(fmt::format("more than {} different recipes", TRACE_RECIPES));
    }
    WEIR_CHECK(tracer_.write_recipe(index, recipe));
    recipes_.push_back(recipe);
    return index;
}

Result<std::pair<Probe, std::uint64_t>> Attacher::prepare(const Spot& place, Backend way) {
    const bool registers = way == Backend::kKprobe || way == Backend::kMulti;
    WEIR_TRY(const Scope scope, scope_of(place.target, kernel_, registers));
    const std::size_t known = words_.size();
    auto made = points_[place.point].make(scope, words_);
    if (!made) {
        return fail(text::to_error(made.error(), ""));
    }
    for (std::size_t i = known; i < words_.size(); i++) {
        WEIR_CHECK(tracer_.write_word(static_cast<std::uint32_t>(i), words_[i]));
    }
    WEIR_TRY(const std::uint32_t recipe, recipe_index(made->recipe));
    const std::string& label = points_[place.point].label;
    return std::pair{
        Probe{label.empty() ? place.target.name : label, place.point, way, std::move(made->fields)},
        TRACE_COOKIE(probes.size(), recipe)};
}

Result<> Attacher::attach_by(const Spot& place, Backend way, std::uint64_t cookie) {
    const Target& target = place.target;
    switch (way) {
    case Backend::kTracepoint:
        return tracer_.attach_tracepoint(target.tracepoint, cookie);
    case Backend::kRawTracepoint:
        return tracer_.attach_raw_tracepoint(target.name, target.raw_arguments, cookie);
    case Backend::kFentry: {
        if (is_program(place)) {
            return tracer_.attach_fentry(target.program.function_id, target.program.id, target.exit,
                                         cookie);
        }
        const auto function = kernel_.types ? kernel_.types->function(target.symbol) : std::nullopt;
        return function ? tracer_.attach_fentry(function->id, 0, target.exit, cookie)
                        : fail("fentry: the kernel's types do not name it");
    }
    case Backend::kUprobe:
        return tracer_.attach_uprobe(target.place, points_[place.point].pid, target.exit, cookie);
    case Backend::kMulti:
        return tracer_.attach_kprobes({target.symbol}, target.exit, {cookie});
    default:
        return tracer_.attach_kprobe(target.symbol, target.exit, cookie);
    }
}

Result<> Attacher::attach(const Spot& place, const Ways& ways) {
    std::string whys;
    for (const Backend way : ways) {
        auto prepared = prepare(place, way);
        const Result<> done =
            prepared ? attach_by(place, way, prepared->second) : Result<>(fail(prepared.error()));
        if (done) {
            probes.push_back(std::move(prepared->first));
            return {};
        }
        const std::string why = done.error().message();
        if (whys.find(why) == std::string::npos) { // what the user wrote is wrong by every way
            whys += (whys.empty() ? "" : "; ") + why;
        }
    }
    return fail(whys);
}

Result<std::vector<Spot>> Attacher::attach_at_once(const std::vector<Spot>& places, bool all) {
    const std::size_t before = probes.size();
    std::vector<Spot> left;
    std::copy_if(places.begin(), places.end(), std::back_inserter(left),
                 [](const Spot& place) { return !is_function(place); });
    for (const bool exit : {false, true}) {
        const bool at_once = all || are_many(places, exit);
        std::vector<std::string> names;
        std::vector<std::uint64_t> cookies;
        for (const Spot& place : places) {
            if (!is_function(place) || place.target.exit != exit) {
                continue;
            }
            auto prepared = at_once ? prepare(place, Backend::kMulti) : fail("few go one by one");
            if (!prepared) {
                left.push_back(place);
                continue;
            }
            names.push_back(place.target.symbol);
            cookies.push_back(prepared->second);
            probes.push_back(std::move(prepared->first));
        }
        if (names.empty()) {
            continue;
        }
        if (auto done = tracer_.attach_kprobes(names, exit, cookies); !done) {
            probes.resize(before);
            return fail(std::move(done).error());
        }
    }
    return left;
}

kernel::Tracer::Bodies bodies_for(const std::vector<Spot>& places, const Ways& ways,
                                  const Kernel& kernel) {
    kernel::Tracer::Bodies bodies;
    for (const Spot& place : places) {
        bodies.tracepoint |= place.target.kind == Target::Kind::kTracepoint;
        bodies.raw |= place.target.kind == Target::Kind::kRawTracepoint;
        bodies.probe |= place.target.kind == Target::Kind::kUser;
        kernel::Tracer::Hooked& first = place.target.exit ? bodies.exit : bodies.entry;
        const bool fentry = among(ways, Backend::kFentry) && first.function.empty();
        if (is_program(place) && fentry) {
            first = {place.target.program.function, place.target.program.id};
        }
        if (!is_function(place)) {
            continue;
        }
        bodies.probe |= among(ways, Backend::kKprobe);
        bodies.multi |= among(ways, Backend::kMulti);
        if (fentry && kernel.types && kernel.types->function(place.target.symbol)) {
            first = {place.target.symbol};
        }
    }
    return bodies;
}

Ways without(Ways ways, Backend backend) {
    std::erase(ways, backend);
    return ways;
}

Ways ways_for(const Spot& place, const Ways& functions) {
    switch (place.target.kind) {
    case Target::Kind::kTracepoint:
        return {Backend::kTracepoint};
    case Target::Kind::kRawTracepoint:
        return {Backend::kRawTracepoint};
    case Target::Kind::kUser:
        return {Backend::kUprobe};
    case Target::Kind::kProgram: // none: the body of fentry was refused
        return among(functions, Backend::kFentry) ? Ways{Backend::kFentry} : Ways{};
    case Target::Kind::kFunction:
        break;
    }
    return functions;
}

// Of the first of the point's sources that the kernel has.
Result<Targets> find_first(const Point& point, const Kernel& kernel, Backend forced) {
    Result<Targets> found;
    for (Source source : point.sources) {
        if (source.kind == Source::Kind::kTracepoint && forced == Backend::kRawTracepoint) {
            source.kind = Source::Kind::kRawTracepoint;
        }
        found = find_targets(source, kernel);
        if (found && !found->found.empty()) {
            break;
        }
    }
    return found;
}

// What is missing is a warning beside others, and an error alone.
Result<std::vector<Spot>> find_places(const std::vector<Point>& points, const Kernel& kernel,
                                      Backend forced, std::vector<Skipped>& skipped) {
    std::vector<Spot> places;
    Result<> missing;
    for (std::size_t i = 0; i < points.size(); i++) {
        auto targets = find_first(points[i], kernel, forced);
        if (!targets) {
            skipped.push_back({points[i].sources.back().text, targets.error().message()});
            missing = fail(std::move(targets).error());
            continue;
        }
        for (Target& target : targets->found) {
            places.push_back({std::move(target), i});
        }
        skipped.insert(skipped.end(), targets->skipped.begin(), targets->skipped.end());
    }
    if (places.empty()) {
        WEIR_CHECK(missing);
    }
    return places;
}

} // namespace

Result<Session> Session::start(const std::vector<Point>& points, Backend backend,
                               const kernel::Tracer::Room& room) {
    Session session;
    WEIR_TRY(Kernel kernel, Kernel::read());
    session.kernel_ = std::make_unique<Kernel>(std::move(kernel));
    WEIR_TRY(auto places, find_places(points, *session.kernel_, backend, session.skipped_));
    WEIR_TRY(Ways ways, ways_of(places, backend));
    std::string no_fentry;
    auto tracer = kernel::Tracer::load(bodies_for(places, ways, *session.kernel_), room);
    if (!tracer && backend == Backend::kAny && among(ways, Backend::kFentry)) {
        ways = without(ways, Backend::kFentry);
        no_fentry = tracer.error().message();
        tracer = kernel::Tracer::load(bodies_for(places, ways, *session.kernel_), room);
    }
    if (!tracer) {
        return fail(std::move(tracer).error());
    }
    session.tracer_ = std::make_unique<kernel::Tracer>(*std::move(tracer));
    Attacher attacher(points, *session.kernel_, *session.tracer_);
    if (ways.front() == Backend::kMulti && std::any_of(places.begin(), places.end(), is_function)) {
        auto left = attacher.attach_at_once(places, backend == Backend::kMulti);
        if (left) {
            places = *std::move(left);
        } else if (backend == Backend::kMulti) {
            return fail(std::move(left).error());
        }
        if (backend == Backend::kAny) {
            ways = without(ways, Backend::kMulti);
        }
    }
    for (const Spot& place : places) {
        if (auto done = attacher.attach(place, ways_for(place, ways)); !done) {
            const std::string why = done.error().message();
            session.skipped_.push_back({place.target.name, why.empty() ? no_fentry : why});
        }
    }
    session.probes_ = std::move(attacher.probes);
    for (const Point& point : points) {
        if (point.pid != 0) {
            session.processes_.learn(point.pid);
        }
    }
    if (session.probes_.empty()) {
        const Skipped& first = session.skipped_.front();
        return fail(fmt::format("{}: {}{}{}", first.name, first.why,
                                no_fentry.empty() || first.why == no_fentry ? "" : "; ",
                                first.why == no_fentry ? "" : no_fentry));
    }
    return session;
}

} // namespace weir::trace
