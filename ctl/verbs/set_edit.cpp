// set create, add, delete, flush.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "output/units.h"
#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/set_words.h"

namespace weir::verbs {
namespace {

using model::Config;
using model::Set;
using model::SetType;

Words tail(const Words& words, std::size_t from) {
    return {words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())), words.end()};
}

// Parsed under the lock: the set's type says how.
Result<std::vector<model::Interval>> parse_elements(SetType type, const Words& words) {
    std::vector<text::Warning> warnings;
    std::vector<model::Interval> elements;
    for (const std::string& word : element_words(words)) {
        const auto element = text::parse_element(type, word, warnings);
        if (!element) {
            return usage(element.error().message);
        }
        elements.push_back(*element);
    }
    warn_all(warnings);
    return elements;
}

Result<SetType> parse_type(const std::string& word) {
    static constexpr std::array kTypes = {SetType::kIpv4Addr, SetType::kIpv6Addr,
                                          SetType::kInetService};
    std::vector<std::string_view> names;
    for (const SetType type : kTypes) {
        names.push_back(model::name(type));
    }
    WEIR_TRY(const auto choice, parse_choice(word, "set type", names));
    return kTypes[choice];
}

Result<> run_set_create(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto name, operand(words, 0, "NAME"));
    WEIR_TRY(const auto type_word, operand(words, 1, "TYPE"));
    Set set;
    set.name = name;
    set.comment = option_text(options, "comment");
    WEIR_TRY(set.type, parse_type(type_word));
    if (const std::string fault = model::set_name_fault(name); !fault.empty()) {
        return usage(fault);
    }
    if (const std::string fault = model::comment_fault(set.comment); !fault.empty()) {
        return usage(fault);
    }
    WEIR_TRY(const auto elements, parse_elements(set.type, tail(words, 2)));
    model::insert(set, elements);
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 if (!config.sets.emplace(name, set).second) {
                     return fail(fmt::format("set '{}' exists already", name));
                 }
                 return {};
             }));
    report(cx, changed, fmt::format("set {} created", name));
    return {};
}

Result<> run_set_add(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto name, operand(words, 0, "NAME"));
    WEIR_CHECK(operand(words, 1, "ELEMENT"));
    std::size_t count = 0;
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 WEIR_TRY(auto* set, find_set(config, name));
                 WEIR_TRY(const auto elements, parse_elements(set->type, tail(words, 1)));
                 model::insert(*set, elements);
                 count = elements.size();
                 return {};
             }));
    report(cx, changed, fmt::format("{} added to set {}", output::counted(count, "element"), name));
    return {};
}

Result<> delete_elements(Config& config, const std::string& name, const Words& words) {
    WEIR_TRY(auto* set, find_set(config, name));
    WEIR_TRY(const auto elements, parse_elements(set->type, words));
    for (const model::Interval& element : elements) {
        if (!model::remove(*set, element)) {
            return fail(fmt::format("{} is not in set '{}'",
                                    text::print_element(set->type, element), name));
        }
    }
    return {};
}

Result<> run_set_delete(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto name, operand(words, 0, "NAME"));
    const Words elements = tail(words, 1);
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 if (!elements.empty()) {
                     return delete_elements(config, name, elements);
                 }
                 WEIR_CHECK(find_set(config, name));
                 config.sets.erase(name);
                 return {};
             }));
    report(cx, changed,
           elements.empty()
               ? fmt::format("set {} deleted", name)
               : fmt::format("{} deleted from set {}",
                             output::counted(element_words(elements).size(), "element"), name));
    return {};
}

Result<> run_set_flush(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto name, operand(words, 0, "NAME"));
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 WEIR_TRY(auto* set, find_set(config, name));
                 set->elements.clear();
                 return {};
             }));
    report(cx, changed, fmt::format("set {} is empty", name));
    return {};
}

void create_options(po::options_description& add) {
    add.add_options()("comment", po::value<std::string>()->value_name("TEXT"),
                      "what the set is for");
}

} // namespace

const Verb set_create{
    .path = "set create",
    .operands = "NAME TYPE [ELEMENT...]",
    .summary = "make a named set of addresses or ports",
    .details = R"(TYPE is ipv4_addr, ipv6_addr or inet_service (ports). Rules name the set
with an @: `ip saddr @blocked drop`.

  weir set create blocked ipv4_addr 192.0.2.0/24 198.51.100.7
)",
    .options = create_options,
    .run = run_set_create};

const Verb set_add{
    .path = "set add",
    .operands = "NAME ELEMENT...",
    .summary = "add elements to a set",
    .details = R"(An element is an address, a prefix, a range or a port. Elements that touch or
overlap are merged.

  weir set add blocked 203.0.113.0/24 10.0.0.1-10.0.0.9
  weir set add web '{ 80, 443, 8000-8080 }'
)",
    .run = run_set_add};

const Verb set_delete{.path = "set delete",
                      .operands = "NAME [ELEMENT...]",
                      .summary = "delete elements of a set, or the whole set",
                      .details = R"(Without ELEMENT, the set itself; refused while a rule names it.

  weir set delete blocked 198.51.100.7
)",
                      .run = run_set_delete};

const Verb set_flush{.path = "set flush",
                     .operands = "NAME",
                     .summary = "delete all elements of a set",
                     .details = R"(The set stays, and the rules that name it match nothing.

  weir set flush blocked
)",
                     .run = run_set_flush};

} // namespace weir::verbs
