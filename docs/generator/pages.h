#pragma once

#include <string>
#include <string_view>

// One function for each generated page of docs/reference; each answers the page's whole text.
namespace weir::docs {

std::string commands_page();
std::string reasons_page();
std::string classes_page();
std::string limits_page();
std::string maps_page();
std::string scenarios_page();

// A cell of a Markdown table: its bars escaped.
std::string cell(std::string_view text);
// A file of the source tree, named from its root; the program ends where it cannot be read.
std::string source(const std::string& name);

} // namespace weir::docs
