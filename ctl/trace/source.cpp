#include "trace/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "text/rule_text.h"

namespace weir::trace {
namespace {

using SourceKind = Source::Kind;

constexpr std::array<std::pair<std::string_view, SourceKind>, 11> kKinds = {
    {{"fn", SourceKind::kFunction},
     {"ret", SourceKind::kReturn},
     {"tp", SourceKind::kTracepoint},
     {"raw", SourceKind::kRawTracepoint},
     {"sys", SourceKind::kSyscall},
     {"sysret", SourceKind::kSyscallReturn},
     {"u", SourceKind::kUser},
     {"uret", SourceKind::kUserReturn},
     {"usdt", SourceKind::kUsdt},
     {"xdp", SourceKind::kXdp},
     {"tc", SourceKind::kTc}}};

constexpr std::array<std::pair<SourceKind, SourceKind>, 5> kReturns = {
    {{SourceKind::kFunction, SourceKind::kReturn},
     {SourceKind::kSyscall, SourceKind::kSyscallReturn},
     {SourceKind::kUser, SourceKind::kUserReturn},
     {SourceKind::kXdp, SourceKind::kXdpReturn},
     {SourceKind::kTc, SourceKind::kTcReturn}}};

constexpr std::array<std::pair<std::string_view, Backend>, 7> kBackends = {
    {{"any", Backend::kAny},
     {"tp", Backend::kTracepoint},
     {"raw_tp", Backend::kRawTracepoint},
     {"fentry", Backend::kFentry},
     {"kprobe.multi", Backend::kMulti},
     {"kprobe", Backend::kKprobe},
     {"uprobe", Backend::kUprobe}}};

template <typename Table>
std::vector<std::string_view> words_of(const Table& table) {
    std::vector<std::string_view> words;
    for (const auto& [word, meaning] : table) {
        words.push_back(word);
    }
    return words;
}

template <typename Table>
auto find_word(const Table& table, std::string_view word) {
    return std::find_if(table.begin(), table.end(),
                        [&](const auto& each) { return each.first == word; });
}

std::string hint(std::string_view word, const std::vector<std::string_view>& known) {
    const std::string near = text::did_you_mean(word, known);
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

// "FILE:PROVIDER:NAME", "FILE:NAME"
Result<> split_usdt(Source& source) {
    const std::size_t last = source.name.rfind(':');
    if (last == std::string::npos) {
        return usage(fmt::format("'{}': expected usdt:FILE:PROVIDER:NAME, as "
                                 "usdt:/usr/bin/python3:python:gc__start",
                                 source.text));
    }
    source.subsystem = source.name.substr(0, last);
    source.name.erase(0, last + 1);
    source.provider = "*";
    const std::size_t before = source.subsystem.rfind(':');
    if (before != std::string::npos) {
        source.provider = source.subsystem.substr(before + 1);
        source.subsystem.resize(before);
    }
    return {};
}

// "PROG@entry", "PROG@exit", "PROG"
Result<> split_program(Source& source) {
    const std::size_t at = source.name.rfind('@');
    if (at == std::string::npos) {
        return {};
    }
    const std::string where = source.name.substr(at + 1);
    source.name.resize(at);
    if (where == "exit") {
        source = *return_of(source);
    } else if (where != "entry") {
        return usage(fmt::format("'{}': behind @ stands entry or exit{}", source.text,
                                 hint(where, {"entry", "exit"})));
    }
    return {};
}

} // namespace

const char* name(Backend backend) {
    return std::find_if(kBackends.begin(), kBackends.end(),
                        [&](const auto& each) { return each.second == backend; })
        ->first.data();
}

Result<Source> parse_source(std::string_view words) {
    const std::size_t colon = words.find(':');
    const std::string_view kind = words.substr(0, colon);
    const auto known = find_word(kKinds, kind);
    if (colon == std::string_view::npos || known == kKinds.end()) {
        return usage(fmt::format("'{}' is no source: expected fn:FUNCTION, ret:FUNCTION, "
                                 "tp:SUBSYSTEM:EVENT, raw:TRACEPOINT, sys:CALL, sysret:CALL, "
                                 "u:FILE:SYMBOL, uret:FILE:SYMBOL, usdt:FILE:PROVIDER:NAME, "
                                 "xdp:PROG@entry|exit or tc:PROG@entry|exit{}",
                                 words, hint(kind, words_of(kKinds))));
    }
    Source source{.kind = known->second, .text = std::string(words)};
    source.name = words.substr(colon + 1);
    const bool user = source.kind == SourceKind::kUser || source.kind == SourceKind::kUserReturn;
    if (source.kind == SourceKind::kTracepoint || user) {
        const std::size_t second = source.name.find(':');
        if (second == std::string::npos) {
            return usage(fmt::format("'{}': expected {}", words,
                                     user ? "u:FILE:SYMBOL, as u:libc.so.6:malloc"
                                          : "tp:SUBSYSTEM:EVENT, as tp:skb:kfree_skb"));
        }
        source.subsystem = source.name.substr(0, second);
        source.name.erase(0, second + 1);
    }
    if (source.kind == SourceKind::kUsdt) {
        WEIR_CHECK(split_usdt(source));
    }
    if (source.kind == SourceKind::kXdp || source.kind == SourceKind::kTc) {
        WEIR_CHECK(split_program(source));
    }
    if (source.name.empty()) {
        return usage(fmt::format("'{}': a name is missing behind the colon", words));
    }
    return source;
}

std::optional<Source> return_of(const Source& source) {
    for (const auto& [entry, exit] : kReturns) {
        if (source.kind == entry || source.kind == exit) {
            Source returning = source;
            returning.kind = exit;
            return returning;
        }
    }
    return std::nullopt;
}

Result<Backend> parse_backend(std::string_view word) {
    const auto known = find_word(kBackends, word);
    if (known == kBackends.end()) {
        const auto words = words_of(kBackends);
        return usage(fmt::format("--backend '{}': expected {}{}", word, fmt::join(words, ", "),
                                 hint(word, words)));
    }
    return known->second;
}

} // namespace weir::trace
