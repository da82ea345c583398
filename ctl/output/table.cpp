#include <algorithm>
#include <cassert>

#include "output/output.h"

namespace weir::output {
namespace {

// Columns that a terminal needs for it: octets that continue a UTF-8 character take none.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

void append_cell(std::string& line, const std::string& cell, Align align, std::size_t wide) {
    const std::string padding(wide - width(cell), ' ');
    line += align == Align::kRight ? padding + cell : cell + padding;
}

} // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::row(std::vector<std::string> cells) {
    assert(cells.size() <= columns_.size());
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::to_string() const {
    std::vector<std::string> titles;
    for (const Column& column : columns_) {
        titles.push_back(column.title);
    }
    std::vector<const std::vector<std::string>*> lines{&titles};
    for (const auto& row : rows_) {
        lines.push_back(&row);
    }
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto* line : lines) {
        for (std::size_t i = 0; i < columns_.size(); i++) {
            widths[i] = std::max(widths[i], width((*line)[i]));
        }
    }
    std::string text;
    for (const auto* cells : lines) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); i++) {
            line += i == 0 ? "" : "  ";
            append_cell(line, (*cells)[i], columns_[i].align, widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

} // namespace weir::output
