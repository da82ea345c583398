// The page of maps: shapes from the BPF objects, structures from the headers that both sides share.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <regex>

#include <bpf/libbpf.h>

#include "kernel/objects.h"
#include "maps/abi.h"
#include "maps/generation.h"
#include "maps/interface.h"
#include "pages.h"

#include "ingress.skel.h" // names their structures

namespace weir::docs {
namespace {

constexpr const char* kHeaders[] = {"generation", "interface", "facts",       "firewall",
                                    "short_list", "balancer",  "explanation", "capture"};

// "struct NAME {" to its "};", with the comment in front of it.
std::string structures(const std::string& header) {
    std::string out, comment;
    bool inside = false, commenting = false;
    std::size_t begin = 0;
    while (begin < header.size()) {
        const std::size_t end = std::min(header.find('\n', begin), header.size());
        const std::string line = header.substr(begin, end - begin) + "\n";
        begin = end + 1;
        if (line.starts_with("#ifdef __bpf__")) {
            break; // the maps themselves: the table has them
        }
        if (inside) {
            out += line;
            inside = !line.starts_with("};");
            out += inside ? "" : "\n";
        } else if (commenting || line.starts_with("/*")) {
            comment = commenting ? comment + line : line;
            commenting = line.find("*/") == std::string::npos;
        } else if (line.starts_with("struct ") || line.starts_with("enum ")) {
            out += comment + line;
            comment.clear();
            inside = true;
        } else {
            comment.clear();
        }
    }
    out.resize(out.empty() ? 0 : out.size() - 1);
    return out;
}

// What a map's definition in the header says of `key` or `value`: __type(key, TYPE),
// __uint(key_size, sizeof(TYPE)) or, of a pool, __array(values, TYPE).
std::string type_of(const std::string& definition, const std::string& what) {
    const std::regex said("__(type\\(" + what + "|array\\(" + what + "s), ([^)]+)|__uint\\(" +
                          what + "_size, .*sizeof\\(([^)]+)");
    std::smatch found;
    return std::regex_search(definition, found, said) ? found.str(2) + found.str(3) : "";
}

// Definitions by the name of the map, or of the structure that describes a pool's tables.
std::map<std::string, std::string> definitions() {
    std::map<std::string, std::string> found;
    for (const char* name : kHeaders) {
        const std::string header =
            std::regex_replace(source(fmt::format("maps/{}.h", name)),
                               std::regex("\nstruct .* SEC\\(\"\\.data.*"), "");
        std::size_t at = header.find("#ifdef __bpf__");
        while ((at = header.find("struct", at)) != std::string::npos) {
            const std::size_t end = header.find("\n}", at);
            if (end == std::string::npos) {
                break;
            }
            const std::string body = header.substr(at, end - at);
            const std::string tail = header.substr(end + 2, header.find(';', end) - end - 2);
            const std::string table = body.substr(7, body.find(' ', 7) - 7);
            const std::size_t space = tail.find(" SEC");
            found[space == std::string::npos ? table : tail.substr(1, space - 1)] = body;
            at = end;
        }
    }
    return found;
}

// A section of data is pinned as an array of one element; the header names the variable in it.
constexpr std::string_view kData = ".data.";

std::string data_row(const std::string& name, std::size_t bytes) {
    for (const char* header : kHeaders) {
        const std::string text = source(fmt::format("maps/{}.h", header));
        std::smatch found;
        if (std::regex_search(text, found,
                              std::regex("\n(struct \\w+) " + name + "(\\[\\w+\\])? SEC"))) {
            return fmt::format("| `{}` | array, as data | `__u32` | `{}{}` | {} | 1 |\n", name,
                               found.str(1), found.str(2), bytes);
        }
    }
    return "";
}

std::string row(bpf_map* map, const std::map<std::string, std::string>& definitions) {
    const std::string name = bpf_map__name(map);
    if (name.starts_with(kData)) {
        return data_row(name.substr(kData.size()), bpf_map__value_size(map));
    }
    const auto definition = definitions.find(name);
    if (definition == definitions.end()) {
        return ""; // the constants: not pinned, not shared
    }
    const bpf_map* table = bpf_map__inner_map(map);
    const bpf_map* shape = table != nullptr ? table : map;
    std::string key = type_of(definition->second, "key");
    std::string value = type_of(definition->second, "value");
    std::string kind = libbpf_bpf_map_type_str(bpf_map__type(shape));
    if (table != nullptr) {
        const std::string inner = value.substr(value.find(' ') + 1);
        const auto of = definitions.find(inner);
        key = of == definitions.end() ? "" : type_of(of->second, "key");
        value = of == definitions.end() ? "" : type_of(of->second, "value");
        kind = fmt::format("pool of {}", kind);
    }
    return fmt::format("| `{}` | {} | `{}` | `{}` | {} | {} |\n", name, kind, key, value,
                       bpf_map__value_size(shape), bpf_map__max_entries(shape));
}

} // namespace

std::string maps_page() {
    std::string text = fmt::format(
        "# Maps\n\nSchema {}: the maps are pinned under `/sys/fs/bpf/weir/{}/maps`. The schema "
        "changes whenever a structure, a map or their meaning does. Entries are those by default; "
        "`weir load` has options for most ([limits.md](limits.md)). A pool is an outer map: each "
        "generation names, by index, the table in it that it uses; entries are those of one table. "
        "The pool `states` (text of the configuration) is made by the control tool alone.\n\n"
        "| map | kind | key | value | octets of a value | entries |\n|---|---|---|---|---|---|\n",
        WEIR_SCHEMA, WEIR_SCHEMA);
    const auto known = definitions();
    ingress_bpf* object = ingress_bpf__open();
    if (object == nullptr) {
        return "";
    }
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object->obj) {
        text += row(map, known);
    }
    ingress_bpf__destroy(object);
    text += "\n## Structures\n";
    for (const char* header : kHeaders) {
        text += fmt::format("\n### maps/{}.h\n\n```c\n{}```\n", header,
                            structures(source(fmt::format("maps/{}.h", header))));
    }
    return text;
}

} // namespace weir::docs
