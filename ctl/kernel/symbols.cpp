#include "kernel/symbols.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "base/fd.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

constexpr const char* kPath = "/proc/kallsyms";

struct Line { // "ffffffff812f1f50 T vfs_read", and "\t[module]" behind it
    std::uint64_t address = 0;
    char kind = 0; // as nm(1) says
    std::string_view name;
};

Line parse(std::string_view text) {
    Line line;
    const char* end = text.data() + text.size();
    const char* space = std::from_chars(text.data(), end, line.address, 16).ptr;
    if (end - space > 3) {
        line.kind = space[1];
        line.name = text.substr(static_cast<std::size_t>(space + 3 - text.data()));
        line.name = line.name.substr(0, line.name.find('\t'));
    }
    return line;
}

bool is_function(const Line& line) {
    constexpr std::string_view kKinds = "tTwW"; // code; weak
    return kKinds.find(line.kind) != std::string_view::npos && !line.name.empty();
}

// Calls `each` for every line, until it gives false.
template <typename Each>
int for_lines(const Each& each) {
    const Fd file(::open(kPath, O_RDONLY | O_CLOEXEC));
    if (!file) {
        return errno;
    }
    std::array<char, 1 << 16> chunk{};
    std::size_t held = 0; // the beginning of a line whose end is not read yet
    while (true) {
        const ssize_t got = ::read(file.get(), chunk.data() + held, chunk.size() - held);
        if (got <= 0) {
            return got < 0 ? errno : 0;
        }
        std::string_view left(chunk.data(), held + static_cast<std::size_t>(got));
        for (std::size_t end = left.find('\n'); end != std::string_view::npos;
             end = left.find('\n')) {
            if (!each(parse(left.substr(0, end)))) {
                return 0;
            }
            left.remove_prefix(end + 1);
        }
        held = left.size();
        std::copy(left.begin(), left.end(), chunk.begin());
    }
}

std::unordered_set<std::string> hookable_functions() {
    std::ifstream file("/sys/kernel/tracing/available_filter_functions");
    std::unordered_set<std::string> names;
    for (std::string line; std::getline(file, line);) {
        names.insert(line.substr(0, line.find(' '))); // "name [module]"
    }
    return names;
}

} // namespace

struct Symbols::Table {
    struct Function {
        std::uint64_t address;
        std::uint32_t name; // where it begins in `names`
        std::uint32_t length;
    };
    struct Named {
        std::uint64_t address; // of the first
        std::size_t count;
    };

    Table();
    Table(const Table&) = delete; // by_name points into names
    Table& operator=(const Table&) = delete;

    std::string_view name(const Function& function) const {
        return std::string_view(names).substr(function.name, function.length);
    }
    // The last that begins at the address or before; nullptr: none.
    const Function* holding(std::uint64_t address) const;

    std::string names; // one behind the other
    std::vector<Function> by_address;
    std::unordered_map<std::string_view, Named> by_name;
};

Symbols::Table::Table() {
    constexpr std::size_t kUsual = 1 << 17;
    by_address.reserve(kUsual);
    names.reserve(kUsual * 24);
    for_lines([&](const Line& line) {
        if (is_function(line)) {
            by_address.push_back({line.address, static_cast<std::uint32_t>(names.size()),
                                  static_cast<std::uint32_t>(line.name.size())});
            names += line.name;
        }
        return true;
    });
    // Stable: of several names of an address the first stands for it.
    std::stable_sort(by_address.begin(), by_address.end(),
                     [](const Function& a, const Function& b) { return a.address < b.address; });
    by_name.reserve(by_address.size());
    for (const Function& function : by_address) {
        by_name.try_emplace(name(function), Named{function.address, 0}).first->second.count++;
    }
}

const Symbols::Table::Function* Symbols::Table::holding(std::uint64_t address) const {
    const auto begins_after = [](std::uint64_t at, const Function& f) { return at < f.address; };
    auto at = std::upper_bound(by_address.begin(), by_address.end(), address, begins_after);
    if (at == by_address.begin()) {
        return nullptr;
    }
    // Longer than any function: behind the last of the kernel, or of a module, lies something else,
    // as the code of BPF programs that were loaded since.
    constexpr std::uint64_t kLongest = 1U << 16;
    const std::uint64_t start = std::prev(at)->address;
    if (address - start >= kLongest) {
        return nullptr;
    }
    const auto begins_before = [](const Function& f, std::uint64_t to) { return f.address < to; };
    return &*std::lower_bound(by_address.begin(), at, start, begins_before);
}

Symbols::Symbols() = default;
Symbols::Symbols(Symbols&&) noexcept = default;
Symbols& Symbols::operator=(Symbols&&) noexcept = default;
Symbols::~Symbols() = default;

Result<Symbols> Symbols::of_kernel() {
    constexpr int kFirst = 100; // lines; of those of per-CPU variables some are at 0 in truth
    int lines = 0;
    bool shown = false;
    const int error = for_lines([&](const Line& line) {
        shown |= line.address != 0;
        return !shown && ++lines < kFirst;
    });
    if (error != 0) {
        return fail_errno(std::string("reading ") + kPath, error);
    }
    if (!shown) { // all of them at 0
        return fail(
            "/proc/kallsyms shows no addresses: sysctl kernel.kptr_restrict=1, and be root");
    }
    return Symbols();
}

const Symbols::Table& Symbols::table() const {
    if (!table_) {
        table_ = std::make_unique<const Table>();
    }
    return *table_;
}

std::vector<std::string> Symbols::matching(const std::string& pattern) const {
    const std::string beginning = pattern.substr(0, pattern.find_first_of("*?[\\"));
    if (beginning == pattern) {
        return has(pattern) ? std::vector{pattern} : std::vector<std::string>{};
    }
    std::vector<std::string> names;
    for (const auto& [view, named] : table().by_name) {
        if (!view.starts_with(beginning)) {
            continue;
        }
        std::string name(view);
        if (fnmatch(pattern.c_str(), name.c_str(), 0) == 0) {
            names.push_back(std::move(name));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::size_t Symbols::count(const std::string& name) const {
    const auto found = table().by_name.find(name);
    return found == table().by_name.end() ? 0 : found->second.count;
}

std::optional<std::uint64_t> Symbols::address(const std::string& name) const {
    const auto found = table().by_name.find(name);
    return found == table().by_name.end() ? std::nullopt : std::optional(found->second.address);
}

bool Symbols::hookable(const std::string& name) const {
    if (!hookable_) {
        hookable_ = hookable_functions();
    }
    return hookable_->empty() || hookable_->count(name) > 0;
}

std::string Symbols::describe(std::uint64_t address) const {
    const Table::Function* function = table().holding(address);
    char text[64];
    if (function == nullptr) {
        std::snprintf(text, sizeof(text), "0x%" PRIx64, address);
        return text;
    }
    std::string name(table().name(*function));
    if (address == function->address) {
        return name;
    }
    std::snprintf(text, sizeof(text), "+0x%" PRIx64, address - function->address);
    return name + text;
}

std::string Symbols::function_at(std::uint64_t address) const {
    const Table::Function* function = table().holding(address);
    return function == nullptr ? "" : std::string(table().name(*function));
}

} // namespace weir::kernel
