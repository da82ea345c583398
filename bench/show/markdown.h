#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::bench::markdown {

// The text as it stands, in a cell or behind other words of a line: one line, nothing of it read as
// Markdown.
std::string text(std::string_view plain);

struct Column {
    std::string title;
    bool right = false; // aligned so: figures
};

// A table after GitHub's extension; its columns are aligned for who reads the file itself.
class Table {
public:
    explicit Table(std::vector<Column> columns);
    // Plain texts, as many as columns.
    void row(const std::vector<std::string>& cells);
    bool empty() const { return rows_.empty(); }
    std::string to_string() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_; // Markdown
};

} // namespace weir::bench::markdown
