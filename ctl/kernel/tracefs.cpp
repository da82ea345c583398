#include "kernel/tracefs.h"

#include <fnmatch.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;
using Shape = TracepointField::Shape;

constexpr const char* kTracefs = "/sys/kernel/tracing";

// The value of "offset:8;" and its like in a line.
std::uint32_t number_behind(const std::string& line, const std::string& word) {
    std::uint32_t value = 0;
    if (const std::size_t at = line.find(word); at != std::string::npos) {
        std::from_chars(line.data() + at + word.size(), line.data() + line.size(), value);
    }
    return value;
}

// "char comm[16]" -> type "char", name "comm", array; "__data_loc char[] name" has its bracket
// before.
void split_declaration(const std::string& declaration, TracepointField& field) {
    if (const std::size_t inner = declaration.find("[] "); inner != std::string::npos) {
        field.type = declaration.substr(0, inner);
        field.name = declaration.substr(inner + 3);
        field.shape = field.type.starts_with("__data_loc") && field.type.ends_with("char")
                          ? Shape::kDynamicText
                          : Shape::kOctets;
        return;
    }
    const std::size_t bracket = declaration.find('[');
    const std::string scalar = declaration.substr(0, bracket);
    const std::size_t space = scalar.find_last_of(" *");
    field.name = space == std::string::npos ? scalar : scalar.substr(space + 1);
    field.type = space == std::string::npos ? "" : scalar.substr(0, space + 1);
    while (field.type.ends_with(' ')) {
        field.type.pop_back();
    }
    const bool array = bracket != std::string::npos;
    const bool characters = field.type.find("char") != std::string::npos;
    if (array) {
        field.shape = characters ? Shape::kText : Shape::kOctets;
    } else if (field.size > sizeof(std::uint64_t)) {
        field.shape = Shape::kOctets;
    }
}

// Readable at `place`: where nothing is mounted there, by a mount of this process alone.
Result<> reach(const char* type, const char* place, long magic) {
    struct statfs found {};
    if (statfs(place, &found) == 0 && found.f_type == magic) {
        return {};
    }
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(type, place, type, 0, nullptr) != 0) {
        return refusal(std::string("mounting ") + type + " on " + place, errno);
    }
    return {};
}

} // namespace

Result<> reach_tracefs() {
    return reach("tracefs", kTracefs, TRACEFS_MAGIC);
}

Result<> reach_debugfs() {
    return reach("debugfs", "/sys/kernel/debug", DEBUGFS_MAGIC);
}

Result<std::vector<Tracepoint>> find_tracepoints(const std::string& subsystem,
                                                 const std::string& event) {
    std::vector<Tracepoint> found;
    std::error_code error;
    const auto matches = [](const std::string& pattern, const fs::path& path) {
        return fnmatch(pattern.c_str(), path.filename().c_str(), 0) == 0;
    };
    for (const auto& folder : fs::directory_iterator(fs::path(kTracefs) / "events", error)) {
        std::error_code ignored;
        if (!folder.is_directory(ignored) || !matches(subsystem, folder.path())) {
            continue;
        }
        for (const auto& each : fs::directory_iterator(folder.path(), ignored)) {
            if (each.is_directory(ignored) && matches(event, each.path()) &&
                fs::exists(each.path() / "id", ignored)) {
                found.push_back(
                    {folder.path().filename().string(), each.path().filename().string()});
            }
        }
    }
    if (error) {
        return fail(std::string("listing tracepoints: ") + error.message());
    }
    std::sort(found.begin(), found.end(),
              [](const Tracepoint& a, const Tracepoint& b) { return a.name() < b.name(); });
    return found;
}

std::vector<TracepointField> parse_format(const std::string& text) {
    std::vector<TracepointField> fields;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t begin = line.find("field:");
        const std::size_t end = line.find(';', begin);
        if (begin == std::string::npos || end == std::string::npos) {
            continue;
        }
        TracepointField field;
        field.offset = number_behind(line, "offset:");
        field.size = number_behind(line, "size:");
        field.is_signed = number_behind(line, "signed:") != 0;
        split_declaration(line.substr(begin + 6, end - begin - 6), field);
        if (!field.name.starts_with("common_")) {
            fields.push_back(std::move(field));
        }
    }
    return fields;
}

Result<std::vector<TracepointField>> fields_of(const Tracepoint& tracepoint) {
    const fs::path path =
        fs::path(kTracefs) / "events" / tracepoint.subsystem / tracepoint.event / "format";
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
        return fail_errno("reading " + path.string(), errno);
    }
    return parse_format(text.str());
}

} // namespace weir::kernel
