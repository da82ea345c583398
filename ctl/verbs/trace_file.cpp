#include "verbs/trace_file.h"

#include <cerrno>
#include <fmt/format.h>
#include <fstream>

namespace weir::verbs {
namespace {

using output::Json;

// Goes through a file line by line.
class TraceFileReader {
public:
    TraceFileReader(const std::string& path, Context& cx) : path_(path), cx_(cx), file_(path) {}

    Result<> read() {
        if (!file_.is_open()) {
            return fail_errno("opening " + path_, errno);
        }
        if (!next()) {
            return refuse(1, cut_ ? "is cut within its header" : "is empty: not a file of -w");
        }
        WEIR_TRY(const Json first, document());
        WEIR_TRY(TraceHeader header, header_of(first));
        cx_.out.text(header.title);
        const TraceOutput output(cx_, std::move(header));
        bool closed = false;
        while (next()) {
            if (closed) {
                return refuse(number_, "stands behind the closing line");
            }
            WEIR_TRY(const Json each, document());
            WEIR_CHECK(show(each, output));
            closed = each.contains("closing");
            if (cx_.out.flush() != 0) {
                return {}; // nobody reads it any more
            }
        }
        if (file_.bad()) {
            return fail_errno("reading " + path_, errno);
        }
        if (!closed) {
            output::warn(fmt::format("{} ended without its closing line{}", path_,
                                     cut_ ? fmt::format(", in line {}", number_ + 1) : ""));
        }
        return {};
    }

private:
    // The next whole line; false: there is none.
    bool next() {
        if (!std::getline(file_, line_)) {
            return false;
        }
        cut_ = file_.eof(); // without its end
        number_ += cut_ ? 0 : 1;
        return !cut_;
    }

    tl::unexpected<Error> refuse(std::size_t line, const std::string& why) const {
        return fail(fmt::format("{}:{}: {}", path_, line, why));
    }

    Result<Json> document() const {
        Json read = Json::parse(line_, nullptr, false);
        if (!read.is_object()) {
            return refuse(number_, "no JSON document");
        }
        const Json schema = read.value("schema", Json());
        if (schema != output::kJsonSchema) {
            return refuse(number_, fmt::format("schema {}: this weir reads {}",
                                               schema.is_null() ? "is missing" : schema.dump(),
                                               output::kJsonSchema));
        }
        read.erase("schema");
        return read;
    }

    Result<TraceHeader> header_of(const Json& first) const {
        auto header = TraceHeader::parse(first);
        if (!header) {
            return refuse(number_, "no header of a file of -w");
        }
        return *std::move(header);
    }

    Result<> show(const Json& document, const TraceOutput& output) const {
        try {
            if (!document.contains("text")) {
                (void)output.text(document); // also with --json, what lacks something is refused
                output.show(document);
                return {};
            }
            Json shown = document;
            cx_.out.text(shown.at("text").get<std::string>());
            shown.erase("text");
            cx_.out.line(shown);
        } catch (const Json::exception&) {
            return refuse(number_, "neither an event nor a closing line");
        }
        return {};
    }

    const std::string& path_;
    Context& cx_;
    std::ifstream file_;
    std::string line_;
    std::size_t number_ = 0; // of whole lines so far
    bool cut_ = false;
};

} // namespace

Result<TraceFile> TraceFile::create(const std::string& path, const TraceHeader& header) {
    std::FILE* file = std::fopen(path.c_str(), "we");
    if (file == nullptr) {
        return fail_errno("making " + path, errno);
    }
    TraceFile made(path, file);
    made.write(header.to_json());
    WEIR_CHECK(made.flush());
    return made;
}

void TraceFile::write(const Json& document, const std::optional<std::string>& text) {
    Json line = document;
    if (text) {
        line["text"] = *text;
    }
    lines_ += output::json_line(line);
}

Result<> TraceFile::flush() {
    if (!lines_.empty() &&
        (std::fwrite(lines_.data(), 1, lines_.size(), file_.get()) != lines_.size() ||
         std::fflush(file_.get()) != 0)) {
        return fail_errno("writing " + path_, errno);
    }
    lines_.clear();
    return {};
}

Result<> read_trace(const std::string& path, Context& cx) {
    return TraceFileReader(path, cx).read();
}

} // namespace weir::verbs
