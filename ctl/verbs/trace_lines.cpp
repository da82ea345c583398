#include "verbs/trace_lines.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>

#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

using output::Json;

constexpr std::int64_t kSecond = 1'000'000'000; // ns

std::int64_t now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

// Seconds east of UTC, now and here.
std::int64_t zone() {
    const std::time_t time = std::time(nullptr);
    std::tm local{};
    localtime_r(&time, &local);
    return local.tm_gmtoff;
}

// The words that this process was started with.
std::vector<std::string> own_words() {
    std::ifstream file("/proc/self/cmdline");
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

} // namespace

std::string time_of_day(double seconds, const TraceHeader& header) {
    const std::int64_t at = std::llround(seconds * static_cast<double>(kSecond)) +
                            header.wall_clock_ns + header.zone_s * kSecond;
    return fmt::format("{:%H:%M:%S}.{:06d}", fmt::gmtime(static_cast<std::time_t>(at / kSecond)),
                       at % kSecond / 1000);
}

TraceHeader TraceHeader::of(const trace::Session& session, std::string title) {
    utsname system{};
    ::uname(&system);
    TraceHeader header{.command = own_words(),
                       .title = std::move(title),
                       .version = WEIR_VERSION,
                       .kernel = system.release,
                       .wall_clock_ns = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC),
                       .zone_s = zone(),
                       .texts = Json::object()};
    for (const trace::Probe& probe : session.probes()) {
        Json names = Json::array();
        for (const trace::Field& field : probe.fields) {
            if (field.shape == trace::Shape::kText) {
                names.push_back(field.name);
            }
        }
        if (!names.empty()) {
            header.texts[probe.name] = std::move(names);
        }
    }
    return header;
}

Json TraceHeader::to_json() const {
    return {{"trace",
             {{"command", command},
              {"title", title},
              {"weir", version},
              {"kernel", kernel},
              {"wall_clock_ns", wall_clock_ns},
              {"zone_s", zone_s},
              {"texts", texts}}}};
}

std::optional<TraceHeader> TraceHeader::parse(const Json& document) {
    try {
        const Json& trace = document.at("trace");
        TraceHeader header{.command = trace.at("command").get<std::vector<std::string>>(),
                           .title = trace.at("title").get<std::string>(),
                           .version = trace.at("weir").get<std::string>(),
                           .kernel = trace.at("kernel").get<std::string>(),
                           .wall_clock_ns = trace.at("wall_clock_ns").get<std::int64_t>(),
                           .zone_s = trace.at("zone_s").get<std::int64_t>(),
                           .texts = trace.at("texts")};
        return header.texts.is_object() ? std::optional(std::move(header)) : std::nullopt;
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

Json event_document(const trace_event& event, const trace::Probe& probe, const trace::Names& names,
                    const std::string& say) {
    const trace::Values values = trace::values_of(event);
    Json fields = Json::object();
    for (const trace::Field& field : probe.fields) {
        fields[field.name] = trace::value_json(field, values, names);
    }
    Json json{{"time", static_cast<double>(event.time) / static_cast<double>(kSecond)},
              {"cpu", event.cpu},
              {"pid", event.pid},
              {"tid", event.tid},
              {"comm", trace::valid_text(event.comm)},
              {"probe", probe.name}};
    if (!fields.empty()) {
        json["values"] = std::move(fields);
    }
    if (!say.empty()) {
        json["say"] = trace::valid_text(say);
    }
    return json;
}

std::string event_text(const Json& event, const TraceHeader& header) {
    const auto probe = event.at("probe").get<std::string>();
    std::string line =
        fmt::format("{}  {:>3}  {:>7}  {:<15}  {}", time_of_day(event.at("time"), header),
                    event.at("cpu").get<std::uint32_t>(), event.at("pid").get<std::uint32_t>(),
                    output::one_line(event.at("comm").get<std::string>()), probe);
    std::string below;
    const Json texts = header.texts.value(probe, Json::array());
    const Json values = event.value("values", Json::object());
    for (const auto& [name, value] : values.get_ref<const Json::object_t&>()) {
        if (value.is_array()) { // a stack
            for (const Json& frame : value) {
                below += "    " + output::one_line(frame.get<std::string>()) + "\n";
            }
            continue;
        }
        std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        if (std::find(texts.begin(), texts.end(), name) != texts.end()) {
            text = fmt::format("\"{}\"", text);
        }
        line += fmt::format("  {}={}", name, output::one_line(text));
    }
    const std::string say = event.value("say", "");
    return line + (say.empty() ? "" : "  " + say) + "\n" + below;
}

std::string TraceOutput::text(const Json& document) const {
    return document.contains("closing") ? "\n" + closing_text(document.at("closing"))
                                        : event_text(document, header_);
}

void TraceOutput::show(const Json& document) const {
    if (cx_.out.json()) {
        cx_.out.line(document);
    } else {
        cx_.out.text(text(document));
    }
}

} // namespace weir::verbs
