#include "trace/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/address.h"

namespace weir::trace {
namespace {

std::string text_of(const trace_text& text) {
    return {text.octets, strnlen(text.octets, sizeof(text.octets))};
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

bool is_stack(const Field& field) {
    return field.shape == Shape::kKernelStack || field.shape == Shape::kUserStack;
}

} // namespace

Values values_of(const trace_event& event) {
    return {event.number, event.text};
}

Values values_of(const trace_key& key) {
    return {key.number, key.text};
}

std::vector<std::string> stack_lines(std::int64_t id, bool user, const Names& names) {
    std::vector<std::string> lines;
    for (const std::uint64_t address : names.tracer.stack(id)) {
        lines.push_back(user ? fmt::format("0x{:x}", address) : names.symbols.describe(address));
    }
    if (lines.empty()) {
        lines.push_back(fmt::format("no stack ({})",
                                    id < 0 ? std::strerror(static_cast<int>(-id)) : "overwritten"));
    }
    return lines;
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
        return fmt::format("{}", fmt::join(stack_lines(static_cast<std::int64_t>(number),
                                                       field.shape == Shape::kUserStack, names),
                                           " < "));
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
        return stack_lines(static_cast<std::int64_t>(number), field.shape == Shape::kUserStack,
                           names);
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
