#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/document.h"
#include "bench/show/plot.h"

namespace weir::bench {

// A part of what is shown of a result.
struct Section {
    std::string title;
    std::vector<Plot> plots = {};
    std::string markdown = {}; // tables and sentences, under the plots
};

// What people look at, made from the JSON document of a result alone, so that a result of
// yesterday, or of another machine, is shown like one of now.
struct Shown {
    std::string name; // of its files: NAME.json, NAME.md; its plots are NAME-….svg, NAME-….png
    std::string title;
    std::vector<Section> sections;
    std::size_t place = 0; // of its kind among others, on a page of several
    std::vector<Plot> plots() const;
};

// By the document's key "kind", which is also its name where nobody gave it another. Refused are
// documents of kinds, schemas or shapes that Weir does not write.
Result<Shown> show(const Json& document, const std::string& name = "");

// With those of its plots whose names are `drawn`, as pictures of the folder that it stands in.
std::string to_markdown(const Shown& shown, const std::set<std::string>& drawn);

// All of them on one page, with their plots as pictures of `folder`, "" or with a slash behind.
// `preface`: Markdown in front of them.
std::string to_markdown_page(const std::vector<Shown>& shown, const std::set<std::string>& drawn,
                             const std::string& folder, const std::string& preface);

} // namespace weir::bench
