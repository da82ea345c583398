#include "verbs/event_printer.h"

#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace weir::verbs {
namespace {

constexpr double kNano = 1e9;
constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

bool is_stack(const trace::Field& field) {
    return field.shape == trace::Shape::kKernelStack || field.shape == trace::Shape::kUserStack;
}

} // namespace

WallClock::WallClock() : offset_(now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC)) {}

std::string WallClock::time_of_day(std::uint64_t monotonic) const {
    const std::int64_t at = static_cast<std::int64_t>(monotonic) + offset_;
    return fmt::format("{:%H:%M:%S}.{:06d}", fmt::localtime(static_cast<std::time_t>(at / kSecond)),
                       at % kSecond / 1000);
}

void EventPrinter::operator()(const trace_event& event) const {
    const trace::Probe& probe = session_.probes().at(event.probe);
    if (cx_.out.json()) {
        cx_.out.line(json_of(event, probe));
    } else {
        cx_.out.text(text_of(event, probe));
    }
}

std::string EventPrinter::text_of(const trace_event& event, const trace::Probe& probe) const {
    const trace::Names names{session_.symbols(), session_.tracer()};
    const trace::Values values = trace::values_of(event);
    std::string line = fmt::format("{}  {:>3}  {:>7}  {:<15}  {}", clock_.time_of_day(event.time),
                                   event.cpu, event.pid, output::one_line(event.comm), probe.name);
    std::string below;
    for (const trace::Field& field : probe.fields) {
        if (!is_stack(field)) {
            line += fmt::format("  {}={}", field.name,
                                output::one_line(trace::value_text(field, values, names)));
            continue;
        }
        const auto id = static_cast<std::int64_t>(event.number[field.index]);
        for (const std::string& each :
             trace::stack_lines(id, field.shape == trace::Shape::kUserStack, names)) {
            below += "    " + each + "\n";
        }
    }
    return line + (say_.empty() ? "" : "  " + say_) + "\n" + below;
}

output::Json EventPrinter::json_of(const trace_event& event, const trace::Probe& probe) const {
    const trace::Names names{session_.symbols(), session_.tracer()};
    const trace::Values values = trace::values_of(event);
    output::Json fields = output::Json::object();
    for (const trace::Field& field : probe.fields) {
        fields[field.name] = trace::value_json(field, values, names);
    }
    output::Json json{{"time", static_cast<double>(event.time) / kNano},
                      {"cpu", event.cpu},
                      {"pid", event.pid},
                      {"tid", event.tid},
                      {"comm", event.comm},
                      {"probe", probe.name}};
    if (!fields.empty()) {
        json["values"] = std::move(fields);
    }
    if (!say_.empty()) {
        json["say"] = say_;
    }
    return json;
}

} // namespace weir::verbs
