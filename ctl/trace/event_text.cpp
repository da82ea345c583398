#include "trace/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/address.h"

namespace weir::trace {
namespace {

std::string text_of(const trace_text& text) {
    return valid_text({text.octets, strnlen(text.octets, sizeof(text.octets))});
}

std::string address_text(std::uint64_t high, std::uint64_t low) {
    constexpr std::uint64_t kMapped = 0xffff; // ::ffff:a.b.c.d
    if (high == 0 && low >> 32 == kMapped) {
        return IpAddr::v4(static_cast<std::uint32_t>(low)).to_string();
    }
    return high == 0 && low == 0 ? "-" : IpAddr::v6({high, low}).to_string();
}

// An enum's value by name; "" if it has none.
std::string enumerator(const Field& field, std::uint64_t number) {
    const auto value = static_cast<std::int64_t>(number);
    const auto found = std::find_if(field.names.begin(), field.names.end(), [&](const auto& each) {
        return each.second == value ||
               static_cast<std::uint32_t>(each.second) == static_cast<std::uint32_t>(number);
    });
    return found == field.names.end() ? "" : found->first;
}

template <typename Describe>
std::vector<std::string> lines_of(std::int64_t id, const Names& names, const Describe& describe) {
    std::vector<std::string> lines;
    for (const std::uint64_t address : names.tracer.stack(id)) {
        lines.push_back(describe(address));
    }
    if (lines.empty()) {
        lines.push_back(fmt::format("no stack ({})",
                                    id < 0 ? std::strerror(static_cast<int>(-id)) : "overwritten"));
    }
    return lines;
}

} // namespace

std::string valid_text(std::string text) {
    const bool plain = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return plain ? text
                 : Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
                       .get<std::string>();
}

bool is_stack(const Field& field) {
    return field.shape == Shape::kKernelStack || field.shape == Shape::kUserStack;
}

Values values_of(const trace_event& event) {
    return {event.number, event.text};
}

Values values_of(const trace_key& key) {
    return {key.number, key.text};
}

std::vector<std::string> stack_lines(std::int64_t id, const Names& names) {
    return lines_of(id, names,
                    [&](std::uint64_t address) { return names.symbols.describe(address); });
}

std::vector<std::string> user_stack_lines(std::int64_t id, int pid, const Names& names) {
    return lines_of(id, names,
                    [&](std::uint64_t address) { return names.processes.describe(pid, address); });
}

std::vector<std::string> stack_lines(const Field& field, const Values& values, const Names& names) {
    const auto id = static_cast<std::int64_t>(values.numbers[field.index]);
    return field.shape == Shape::kUserStack
               ? user_stack_lines(id, static_cast<int>(values.numbers[field.index + 1]), names)
               : stack_lines(id, names);
}

std::string value_text(const Field& field, const Values& values, const Names& names) {
    if (field.shape == Shape::kText) {
        return fmt::format("\"{}\"", text_of(values.texts[field.index]));
    }
    const std::uint64_t number = values.numbers[field.index];
    switch (field.shape) {
    case Shape::kSigned:
        return fmt::format("{}", static_cast<std::int64_t>(number));
    case Shape::kHexadecimal:
        return fmt::format("0x{:x}", number);
    case Shape::kBool:
        return number != 0 ? "true" : "false";
    case Shape::kEnum: {
        const std::string name = enumerator(field, number);
        return name.empty() ? fmt::format("{}", number) : name;
    }
    case Shape::kAddress:
        return address_text(number, values.numbers[field.index + 1]);
    case Shape::kFunction:
        return names.symbols.describe(number);
    case Shape::kKernelStack:
    case Shape::kUserStack:
        return fmt::format("{}", fmt::join(stack_lines(field, values, names), " < "));
    default:
        return fmt::format("{}", number);
    }
}

Json value_json(const Field& field, const Values& values, const Names& names) {
    if (field.shape == Shape::kText) {
        return text_of(values.texts[field.index]);
    }
    const std::uint64_t number = values.numbers[field.index];
    if (is_stack(field)) {
        return stack_lines(field, values, names);
    }
    switch (field.shape) {
    case Shape::kUnsigned:
        return number;
    case Shape::kSigned:
        return static_cast<std::int64_t>(number);
    case Shape::kBool:
        return number != 0;
    default:
        return value_text(field, values, names);
    }
}

} // namespace weir::trace
