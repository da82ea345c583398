#include "bench/show/frame.h"

#include <fmt/format.h>

namespace weir::bench {

void Frame::add(const std::string& name, Series drawn) {
    order_.push_back(name);
    series_.emplace(name, std::move(drawn));
}

Plot Frame::filled() const {
    Plot plot = plot_;
    for (const std::string& name : order_) {
        if (const Series& series = series_.at(name); !series.points.empty()) {
            plot.series.push_back(series);
        }
    }
    return plot;
}

std::vector<Plot> filled(const std::vector<Frame>& frames) {
    std::vector<Plot> plots;
    for (const Frame& frame : frames) {
        if (Plot plot = frame.filled(); !plot.series.empty()) {
            plots.push_back(std::move(plot));
        }
    }
    return plots;
}

Frame rules_frame(int family, std::string y_label) {
    Frame made({.name = fmt::format("rules-ipv{}", family),
                .title = fmt::format("Firewall, IPv{}: cost against rules", family),
                .x_label = "rules",
                .y_label = std::move(y_label),
                .log_x = true,
                .log_y = true});
    for (const bool hard : {false, true}) {
        const std::string prefix = fmt::format("fw{}{}", family, hard ? "-hard" : "");
        const char* const kind = hard ? "adversarial" : "realistic";
        std::size_t colour = 0;
        for (const auto& [which, title] : {std::pair{"last", "last matches"},
                                           {"miss", "none matches"},
                                           {"mixed", "random one matches"},
                                           {"first", "first matches"}}) {
            made.add(fmt::format("{}-{}", prefix, which),
                     {fmt::format("{}, {}", kind, title), {}, colour++, hard});
        }
    }
    return made;
}

} // namespace weir::bench
