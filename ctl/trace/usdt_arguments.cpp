#include "trace/usdt_arguments.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace weir::trace {
namespace {

constexpr std::uint8_t kWord = 8;

#if defined(__x86_64__)
// In the order of struct pt_regs (arch/x86/include/uapi/asm/ptrace.h), of 8 octets each, with the
// names of their lower halves, quarters and eighths.
struct Register {
    std::string_view names[4];
};
constexpr std::array<std::optional<Register>, 20> kRegisters = {{
    Register{{"r15", "r15d", "r15w", "r15b"}},
    Register{{"r14", "r14d", "r14w", "r14b"}},
    Register{{"r13", "r13d", "r13w", "r13b"}},
    Register{{"r12", "r12d", "r12w", "r12b"}},
    Register{{"rbp", "ebp", "bp", "bpl"}},
    Register{{"rbx", "ebx", "bx", "bl"}},
    Register{{"r11", "r11d", "r11w", "r11b"}},
    Register{{"r10", "r10d", "r10w", "r10b"}},
    Register{{"r9", "r9d", "r9w", "r9b"}},
    Register{{"r8", "r8d", "r8w", "r8b"}},
    Register{{"rax", "eax", "ax", "al"}},
    Register{{"rcx", "ecx", "cx", "cl"}},
    Register{{"rdx", "edx", "dx", "dl"}},
    Register{{"rsi", "esi", "si", "sil"}},
    Register{{"rdi", "edi", "di", "dil"}},
    std::nullopt, // orig_rax
    Register{{"rip", "eip", "ip", ""}},
    std::nullopt, // cs
    std::nullopt, // eflags
    Register{{"rsp", "esp", "sp", "spl"}},
}};

// Its place in struct pt_regs.
std::optional<std::int64_t> place_of(std::string_view name) {
    if (!name.starts_with('%')) {
        return std::nullopt;
    }
    name.remove_prefix(1);
    for (std::size_t i = 0; i < kRegisters.size(); i++) {
        if (kRegisters[i] &&
            std::find(std::begin(kRegisters[i]->names), std::end(kRegisters[i]->names), name) !=
                std::end(kRegisters[i]->names)) {
            return static_cast<std::int64_t>(i) * kWord;
        }
    }
    return std::nullopt;
}
#else
// Operands of other machines are written in other ways.
std::optional<std::int64_t> place_of(std::string_view) {
    return std::nullopt;
}
#endif

std::optional<std::int64_t> number(std::string_view word) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc{} && end == word.data() + word.size() && !word.empty()
               ? std::optional(value)
               : std::nullopt;
}

trace_step step(trace_operation operation, std::int64_t value = 0, std::uint8_t size = 0) {
    trace_step made{};
    made.operation = static_cast<std::uint8_t>(operation);
    made.value = value;
    made.size = size;
    return made;
}

using Steps = std::vector<trace_step>;

void read_register(Steps& steps, std::int64_t place, std::uint8_t size) {
    steps.push_back(step(TRACE_RECORD));
    steps.push_back(step(TRACE_READ, place, size));
}

// "-16(%rbp)", "(%rax,%rbx,8)", "8(,%rbx,4)"
std::optional<Steps> memory(std::string_view operand, std::uint8_t size) {
    const std::size_t open = operand.find('(');
    if (open == std::string_view::npos || !operand.ends_with(')')) {
        return std::nullopt;
    }
    const auto offset = open == 0 ? 0 : number(operand.substr(0, open));
    std::string_view inside = operand.substr(open + 1, operand.size() - open - 2);
    std::array<std::string_view, 3> parts; // base, index, scale
    for (std::string_view& part : parts) {
        const std::size_t comma = std::min(inside.find(','), inside.size());
        part = inside.substr(0, comma);
        inside.remove_prefix(std::min(comma + 1, inside.size()));
    }
    const auto scale = parts[2].empty() ? 1 : number(parts[2]);
    if (!offset || !scale || !inside.empty() || (parts[0].empty() && parts[1].empty()) ||
        parts[0] == "%rip") { // of the instruction behind, and of what the linker has moved
        return std::nullopt;
    }
    Steps steps;
    steps.push_back(step(TRACE_CONSTANT));
    for (const std::size_t i : {0U, 1U}) {
        if (parts[i].empty()) {
            continue;
        }
        const auto place = place_of(parts[i]);
        if (!place) {
            return std::nullopt;
        }
        read_register(steps, *place, kWord);
        if (i == 1) {
            steps.push_back(step(TRACE_CONSTANT, *scale));
            steps.push_back(step(TRACE_MULTIPLY));
        }
        steps.push_back(step(TRACE_ADD));
    }
    steps.push_back(step(TRACE_READ_USER, *offset, size));
    return steps;
}

std::optional<Steps> fetch(std::string_view operand, std::uint8_t size) {
    if (operand.starts_with('$')) {
        const auto constant = number(operand.substr(1));
        return constant ? std::optional(Steps{step(TRACE_CONSTANT, *constant)}) : std::nullopt;
    }
    if (const auto place = place_of(operand)) {
        Steps steps;
        read_register(steps, *place, size);
        return steps;
    }
    return memory(operand, size);
}

PlacedArgument parse_argument(std::string_view word) {
    constexpr std::array kSizes = {1, 2, 4, 8, -1, -2, -4, -8};
    PlacedArgument argument{.unknown = std::string(word)};
    const std::size_t at = word.find('@');
    const auto size = number(word.substr(0, at));
    const bool known = std::find(kSizes.begin(), kSizes.end(), size) != kSizes.end();
    if (at == std::string_view::npos || !known) { // "8f@%xmm0": a floating-point number
        return argument;
    }
    argument.is_signed = *size < 0;
    argument.size = static_cast<std::uint8_t>(argument.is_signed ? -*size : *size);
    if (auto steps = fetch(word.substr(at + 1), argument.size)) {
        argument.steps = *std::move(steps);
        argument.unknown.clear();
        if (argument.is_signed && argument.size < kWord) {
            argument.steps.push_back(step(TRACE_SIGN, 0, argument.size));
        }
    }
    return argument;
}

} // namespace

std::vector<PlacedArgument> parse_usdt_arguments(std::string_view arguments) {
    std::vector<PlacedArgument> all;
    while (true) {
        arguments.remove_prefix(std::min(arguments.find_first_not_of(' '), arguments.size()));
        if (arguments.empty()) {
            return all;
        }
        const std::size_t end = std::min(arguments.find(' '), arguments.size());
        all.push_back(parse_argument(arguments.substr(0, end)));
        arguments.remove_prefix(end);
    }
}

} // namespace weir::trace
