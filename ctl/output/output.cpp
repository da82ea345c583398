#include "output/output.h"

#include <cerrno>
#include <fmt/format.h>
#include <utility>

namespace weir::output {
namespace {

std::string with_schema(const Json& document, int indent) {
    Json whole{{"schema", kJsonSchema}};
    whole.update(document);
    // A name that a kernel or a file gave may be no UTF-8: shown replaced rather than refused.
    return whole.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace

std::string json_line(const Json& document) {
    return with_schema(document, -1);
}

void Output::write(const std::string& text) {
    if (error_ == 0 && std::fwrite(text.data(), 1, text.size(), to_) != text.size()) {
        error_ = errno;
    }
}

void Output::text(const std::string& text) {
    if (!json_) {
        write(text);
    }
    if (keeper_) {
        since_ += text;
    }
}

void Output::document(const Json& document) {
    if (json_) {
        write(with_schema(document, 2));
    }
}

void Output::line(const Json& document) {
    if (json_) {
        write(json_line(document));
    }
    if (keeper_) {
        keeper_(document, std::exchange(since_, {}));
    }
}

int Output::flush() {
    if (error_ == 0 && std::fflush(to_) != 0) {
        error_ = errno;
    }
    return error_;
}

std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '\n') {
            line += "\\n";
        } else if (c == '\t') {
            line += "\\t";
        } else if (octet < 0x20 || octet == 0x7f) {
            line += fmt::format("\\x{:02x}", octet);
        } else {
            line += c;
        }
    }
    return line;
}

void note(const std::string& message) {
    complain(message);
}

void warn(const std::string& message) {
    complain("warning: " + message);
}

void complain(const std::string& message) {
    const std::string line = "weir: " + one_line(message) + "\n";
    // Nowhere is left to say that stderr itself failed.
    (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace weir::output
