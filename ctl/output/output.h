#pragma once

#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace weir::output {

// Version of every JSON document that `weir --json` prints: its key "schema".
inline constexpr int kJsonSchema = 1;

using Json = nlohmann::ordered_json;

enum class Align { kLeft, kRight };

struct Column {
    std::string title;
    Align align = Align::kLeft;
};

// A table for people: aligned, a title line, two spaces between columns; no colour, no frames.
class Table {
public:
    explicit Table(std::vector<Column> columns);
    // Missing cells are empty; more cells than columns are a bug.
    void row(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    // Every line ends with a newline and none with a space.
    std::string to_string() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// Where a verb's answer goes. A verb gives both forms; the one that was asked for is printed.
class Output {
public:
    Output(bool json, std::FILE* to) : json_(json), to_(to) {}
    bool json() const { return json_; }
    void text(const std::string& text);  // only without --json
    void document(const Json& document); // only with --json; adds "schema"
    void line(const Json& document);     // the same on one line, of those of which many follow
    // From now on also hands every line() to `keeper`, with the text() since the one before, in
    // either form of the output.
    using Keeper = std::function<void(const Json& document, const std::string& text)>;
    void keep(Keeper keeper) { keeper_ = std::move(keeper); }
    // Writes out what is buffered. Answers 0, or the errno of the first write that failed, also of
    // an earlier one: EPIPE where the reader has gone, ENOSPC, …
    int flush();

private:
    void write(const std::string& text);

    bool json_;
    std::FILE* to_;
    int error_ = 0;
    Keeper keeper_;
    std::string since_; // text, for the keeper
};

// A document on one line, as Output::line prints it; adds "schema".
std::string json_line(const Json& document);

// The same text with every control character written as \n, \t or \xNN, so that a message stays one
// line and cannot command a terminal.
std::string one_line(std::string_view text);

// stderr: "weir: …", "weir: warning: …" and "weir: …", one line each: how far it is, what to heed,
// what went wrong.
void note(const std::string& message);
void warn(const std::string& message);
void complain(const std::string& message);

} // namespace weir::output
