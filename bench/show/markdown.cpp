#include "bench/show/markdown.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::bench::markdown {
namespace {

// Characters on a screen; every one of UTF-8 is taken to be as wide as another.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80; // not a continuation of one
    }));
}

std::string line(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                 const std::vector<std::string>& cells) {
    std::string line = "|";
    for (std::size_t i = 0; i < columns.size(); i++) {
        const std::string room(widths[i] - width(cells[i]), ' ');
        line += ' ' + (columns[i].right ? room + cells[i] : cells[i] + room) + " |";
    }
    return line + '\n';
}

} // namespace

std::string text(std::string_view plain) {
    // A backslash makes any ASCII punctuation a character like others (CommonMark, 2.4).
    constexpr std::string_view kSpecial = "\\`*_[]<>&|~#!";
    std::string escaped;
    for (const char c : plain) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
            escaped += ' ';
            continue;
        }
        if (kSpecial.find(c) != std::string_view::npos) {
            escaped += '\\';
        }
        escaped += c;
    }
    return escaped;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::row(const std::vector<std::string>& cells) {
    std::vector<std::string> escaped;
    for (const std::string& cell : cells) {
        escaped.push_back(text(cell));
    }
    escaped.resize(columns_.size());
    rows_.push_back(std::move(escaped));
}

std::string Table::to_string() const {
    std::vector<std::string> titles, rules;
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); i++) {
        titles.push_back(text(columns_[i].title));
        std::size_t widest = std::max<std::size_t>(width(titles[i]), 3); // "--:"
        for (const auto& row : rows_) {
            widest = std::max(widest, width(row[i]));
        }
        widths.push_back(widest);
        rules.push_back(std::string(widest - (columns_[i].right ? 1 : 0), '-') +
                        (columns_[i].right ? ":" : ""));
    }
    std::string table = line(columns_, widths, titles) + line(columns_, widths, rules);
    for (const auto& row : rows_) {
        table += line(columns_, widths, row);
    }
    return table;
}

} // namespace weir::bench::markdown
