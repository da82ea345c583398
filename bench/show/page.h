#pragma once

#include <map>
#include <string>
#include <vector>

namespace weir::bench {

// One result on the page.
struct Chapter {
    std::string title;
    std::string markdown;
};

// A whole HTML page that needs nothing beside itself: no script, no file, no network. Pictures that
// the Markdown names, "run-flows.svg", stand in it if `pictures` holds their text, and are left out
// otherwise; so is any HTML in the Markdown.
std::string html_page(const std::string& title, const std::vector<Chapter>& chapters,
                      const std::map<std::string, std::string>& pictures);

} // namespace weir::bench
