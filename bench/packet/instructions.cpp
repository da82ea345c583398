#include "bench/packet/instructions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir::bench {
namespace {

constexpr std::string_view kKind = "instructions";
// Between rounds of one run, in instructions, or as a share: a timer's tick falls into some.
constexpr double kSameRun = 3;
constexpr double kTicks = 0.001;
// Between boots of one kernel, as a share: the kernel's hash tables are seeded anew.
constexpr double kSameKernel = 0.003;
// The same, of the kernel's own tables of routes and neighbours, whose chains are long or short, and which
// are asked anew now and then.
constexpr double kRouted = 0.02;
// Between releases of a series, as a share.
constexpr double kSameSeries = 0.02;

} // namespace

Result<Instructions> counted(const RunResult& result) {
    constexpr const char* kMend =
        "this machine's clock does not count instructions; run it in QEMU: "
        "netns-scripts/vm.sh --icount -- weir bench insns";
    if (result.origin.processor.find("TCG") == std::string::npos) {
        return fail(fmt::format("{}: {}", result.origin.processor, kMend));
    }
    Instructions figures{result.origin.kernel, {}, {}};
    for (const CaseResult& each : result.cases) {
        if (!each.measured) {
            return fail(each.name + ": " + each.refused);
        }
        const Figure& net = each.measured->net;
        // A next hop is asked for anew now and then.
        const double ticks = each.routed ? kRouted : kTicks;
        if (net.spread() > std::max(kSameRun, ticks * net.median) || net.median < 1) {
            return fail(fmt::format("{}: {:.0f} to {:.0f} in one run: {}", each.name, net.lower,
                                    net.upper, kMend));
        }
        if (each.routed) {
            figures.routed.insert(each.name);
        }
        figures.counts[each.name] = static_cast<std::uint64_t>(std::llround(net.median));
    }
    return figures;
}

std::string InstructionTable::series_of(const std::string& kernel) {
    const std::size_t major = kernel.find('.');
    return kernel.substr(0, kernel.find_first_not_of("0123456789", major + 1));
}

Result<InstructionTable> InstructionTable::parse(std::string_view json) {
    const Json document = Json::parse(json, nullptr, false);
    if (document.is_discarded() || !document.is_object() || document.value("kind", "") != kKind ||
        document.value("schema", 0) != kResultSchema) {
        return fail(fmt::format("no table of instructions of schema {}", kResultSchema));
    }
    InstructionTable table;
    try {
        for (const auto& [series, figures] : document.at("kernels").items()) {
            Instructions& entry = table.series_[series];
            entry.kernel = figures.at("release").get<std::string>();
            for (const auto& [name, count] : figures.at("instructions").items()) {
                entry.counts[name] = count.get<std::uint64_t>();
            }
        }
    } catch (const Json::exception& error) {
        return fail(std::string("not as `weir bench insns` writes it: ") + error.what());
    }
    return table;
}

std::string InstructionTable::to_string() const {
    Json kernels = Json::object();
    for (const auto& [series, figures] : series_) {
        Json counts = Json::object();
        for (const auto& [name, count] : figures.counts) {
            counts[name] = count;
        }
        kernels[series] = {{"release", figures.kernel}, {"instructions", std::move(counts)}};
    }
    const Json document{{"schema", kResultSchema}, {"kind", kKind}, {"kernels", kernels}};
    return document.dump(2) + "\n";
}

std::optional<std::uint64_t> InstructionTable::count(const std::string& series,
                                                     const std::string& name) const {
    const auto figures = series_.find(series);
    if (figures == series_.end()) {
        return std::nullopt;
    }
    const auto count = figures->second.counts.find(name);
    return count == figures->second.counts.end() ? std::nullopt : std::optional(count->second);
}

Result<std::vector<std::string>> InstructionTable::grown(const Instructions& now) const {
    const auto known = series_.find(series_of(now.kernel));
    if (known == series_.end()) {
        return fail(fmt::format("the table has no figures of kernel {}", series_of(now.kernel)));
    }
    const bool same = known->second.kernel == now.kernel;
    std::vector<std::string> lines;
    for (const auto& [name, count] : now.counts) {
        const auto before = known->second.counts.find(name);
        if (before == known->second.counts.end()) {
            lines.push_back(fmt::format("{}: {} instructions, not in the table", name, count));
            continue;
        }
        const auto committed = static_cast<double>(before->second);
        const double share = !same                       ? kSameSeries
                             : now.routed.contains(name) ? kRouted
                                                         : kSameKernel;
        const double allowed = std::max(kSameRun, committed * share);
        if (static_cast<double>(count) > committed + allowed) {
            lines.push_back(fmt::format("{}: {} instructions, {} in the table ({:+d})", name, count,
                                        before->second,
                                        static_cast<std::int64_t>(count - before->second)));
        }
    }
    return lines;
}

} // namespace weir::bench
