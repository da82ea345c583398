#include "bench/show/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "bench/comparison.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"

namespace weir::bench {
namespace {

using markdown::text;

struct ShownKind {
    const char* name; // the document's key "kind"
    const char* title;
    std::vector<Section> (*sections)(const Json& result);
    bool measured_once = true; // on one machine, which it names; otherwise a table of several
};

// In the order of chapters.
constexpr std::array kKinds = {
    ShownKind{"run", "What a packet costs", run_sections},
    ShownKind{"net", "Throughput, beside what else there is", net_sections},
    ShownKind{"apps", "Applications through the balancer", apps_sections},
    ShownKind{"control", "What a change of the configuration takes", control_sections},
    ShownKind{"trace", "What tracing costs", trace_sections},
    ShownKind{"instructions", "What a packet costs, in instructions", instructions_sections,
              false}};

std::string plain(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

// What a reader wants of an option: of a list its elements, of descriptions what they describe.
std::string option(const Json& value) {
    if (!value.is_structured()) {
        return plain(value);
    }
    std::string words;
    for (const auto& [key, element] : value.items()) {
        words += (words.empty() ? "" : ", ") + (value.is_object() ? key : plain(element));
    }
    return words;
}

Section machine(const Json& result) {
    std::string options;
    const Json given = result.value("options", Json::object());
    for (const auto& [key, value] : given.items()) {
        options += fmt::format("{}{}: {}", options.empty() ? "" : "; ", key, option(value));
    }
    markdown::Table table({{"Made by"}, {"Weir " + result.at("weir").get<std::string>()}});
    table.row({"Kernel", result.at("kernel").get<std::string>()});
    table.row({"Processor", fmt::format("{} × {}", result.at("cpus").get<unsigned>(),
                                        result.at("processor").get<std::string>())});
    table.row({"Started", result.at("started").get<std::string>()});
    if (!options.empty()) {
        table.row({"Options", options});
    }
    if (const double drift = drift_of(result); drift > 0) {
        table.row({"Drift", fmt::format("{:.0f} %: by so much the time of the same code changed "
                                        "meanwhile, in nine cases of ten by less",
                                        100 * drift)});
    }
    return {.title = "Machine", .markdown = table.to_string()};
}

// Whatever a document calls its series, no path and nothing that Markdown or HTML would read.
std::string file_name(std::string name) {
    std::replace_if(
        name.begin(), name.end(),
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '_');
    return name;
}

Result<Shown> show_kind(const ShownKind& kind, const Json& result, const std::string& name) {
    try {
        Shown shown{name.empty() ? kind.name : name, kind.title, {}};
        if (kind.measured_once) {
            shown.sections.push_back(machine(result));
        }
        if (shown.name != kind.name) {
            shown.title += " (" + shown.name + ".json)";
        }
        for (Section& section : kind.sections(result)) {
            for (Plot& plot : section.plots) {
                plot.name = file_name(shown.name + "-" + plot.name);
            }
            shown.sections.push_back(std::move(section));
        }
        return shown;
    } catch (const Json::exception& error) {
        return fail(fmt::format("not as `weir bench {}` writes it: {}", kind.name, error.what()));
    }
}

// Under a heading of that level.
std::string chapter(const Shown& shown, const std::set<std::string>& drawn,
                    const std::string& level, const std::string& folder) {
    std::string page = fmt::format("{} {}\n", level, text(shown.title));
    for (const Section& section : shown.sections) {
        page += fmt::format("\n{}# {}\n", level, text(section.title));
        for (const Plot& plot : section.plots) {
            if (drawn.contains(plot.name)) {
                page += fmt::format("\n![{}]({}{}.svg)\n", text(plot.title), folder, plot.name);
            }
        }
        page += "\n" + section.markdown;
    }
    return page;
}

} // namespace

std::vector<Plot> Shown::plots() const {
    std::vector<Plot> all;
    for (const Section& section : sections) {
        all.insert(all.end(), section.plots.begin(), section.plots.end());
    }
    return all;
}

Result<Shown> show(const Json& document, const std::string& name) {
    if (!document.is_object() || !document.contains("schema") || !document.contains("kind")) {
        return fail(R"(no result of `weir bench`: no JSON, or without "schema" and "kind")");
    }
    const std::string found = plain(document["kind"]);
    for (const ShownKind& kind : kKinds) {
        if (found != kind.name) {
            continue;
        }
        if (document["schema"] != kResultSchema) {
            return fail(fmt::format("a result of schema {}: this Weir reads schema {}",
                                    document["schema"].dump(), kResultSchema));
        }
        auto shown = show_kind(kind, document, name);
        if (shown) {
            shown->place = static_cast<std::size_t>(&kind - kKinds.data());
        }
        return shown;
    }
    return fail(fmt::format("a result of kind '{}', which this Weir does not know", found));
}

std::string to_markdown(const Shown& shown, const std::set<std::string>& drawn) {
    return chapter(shown, drawn, "#", "");
}

std::string to_markdown_page(const std::vector<Shown>& shown, const std::set<std::string>& drawn,
                             const std::string& folder, const std::string& preface) {
    std::string page = "<!-- Generated: weir bench report DIR --markdown FILE -->\n# "
                       "Performance\n\nA chapter for each file of results; "
                       "each names the machine that it was made on.\n";
    if (!preface.empty()) {
        page += "\n" + preface + (preface.ends_with('\n') ? "" : "\n");
    }
    for (const Shown& each : shown) {
        page += "\n" + chapter(each, drawn, "##", folder);
    }
    return page;
}

} // namespace weir::bench
