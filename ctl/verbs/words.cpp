#include "verbs/words.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

#include "text/rule_text.h"

namespace weir::verbs {
namespace {

// No configuration and no frame is larger; reading /dev/zero ends here.
constexpr std::size_t kFileMax = std::size_t{256} << 20;

struct CloseUnlessStdin {
    void operator()(std::FILE* file) const {
        if (file != stdin) {
            std::fclose(file);
        }
    }
};

} // namespace

Result<> at_most(const Words& words, std::size_t most) {
    if (words.size() > most) {
        return usage(fmt::format("unexpected word '{}'", words[most]));
    }
    return {};
}

Result<std::string> operand(const Words& words, std::size_t index, std::string_view name) {
    if (index >= words.size()) {
        return usage(fmt::format("{} is missing; `--help` shows the usage", name));
    }
    return words[index];
}

Result<std::uint64_t> parse_number(std::string_view word, std::string_view name,
                                   std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    const char* end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    if (word.empty() || error != std::errc{} || rest != end || number < least || number > most) {
        return usage(
            fmt::format("{} '{}': expected a number from {} to {}", name, word, least, most));
    }
    return number;
}

Result<std::size_t> parse_choice(std::string_view word, std::string_view name,
                                 const std::vector<std::string_view>& known) {
    const auto found = std::find(known.begin(), known.end(), word);
    if (found != known.end()) {
        return static_cast<std::size_t>(found - known.begin());
    }
    const std::string near = text::did_you_mean(word, known);
    return usage(fmt::format("unknown {} '{}': expected {}{}", name, word, fmt::join(known, ", "),
                             near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

std::string option_text(const po::variables_map& options, const char* name) {
    return options.count(name) > 0 ? options[name].as<std::string>() : "";
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    return fmt::format("{}", fmt::join(words, between));
}

Result<std::string> read_file(const std::string& path) {
    const std::unique_ptr<std::FILE, CloseUnlessStdin> file(
        path == "-" ? stdin : std::fopen(path.c_str(), "rbe"));
    if (!file) {
        return fail_errno("reading " + path, errno);
    }
    std::string text;
    std::string chunk(std::size_t{64} << 10, '\0');
    while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
        text.append(chunk, 0, got);
        if (text.size() > kFileMax) {
            return fail(fmt::format("reading {}: more than {} MiB", path, kFileMax >> 20));
        }
    }
    if (std::ferror(file.get()) != 0) {
        return fail_errno("reading " + path, errno);
    }
    return text;
}

} // namespace weir::verbs
