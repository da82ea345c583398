#pragma once

#include <memory>
#include <optional>
#include <string>

#include "verbs/trace_lines.h"

// Files of -w: the header, then the documents of --json, a document a line. Beside its keys a
// document has "text", what was shown for it; not so an event, whose line is made of it alone.
namespace weir::verbs {

class TraceFile {
public:
    // Makes the file anew.
    static Result<TraceFile> create(const std::string& path, const TraceHeader& header);
    void write(const output::Json& document, const std::optional<std::string>& text = {});
    // What has been written so far is in the file when this returns, whatever becomes of this
    // process: whole lines.
    Result<> flush();

private:
    struct Close {
        void operator()(std::FILE* file) const { (void)std::fclose(file); }
    };
    TraceFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
    std::string path_;
    std::unique_ptr<std::FILE, Close> file_;
    std::string lines_; // not written yet
};

// Prints what the command that wrote the file printed. Refused with the line's number: what such a
// command does not write. A file that ends early is printed up to its last whole line, with a
// warning.
Result<> read_trace(const std::string& path, Context& cx);

} // namespace weir::verbs
