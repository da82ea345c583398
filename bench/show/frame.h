#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/show/plot.h"

namespace weir::bench {

// A plot whose lines are known before the figures are, so that colours and the legend are the same
// whatever was measured.
class Frame {
public:
    explicit Frame(Plot plot) : plot_(std::move(plot)) {}
    // `name` is the document's name of the series.
    void add(const std::string& name, Series drawn);
    bool has(const std::string& name) const { return series_.contains(name); }
    void point(const std::string& name, const Point& point) {
        series_.at(name).points.push_back(point);
    }
    Plot& plot() { return plot_; }
    // With the series that have points; a plot without any shows nothing.
    Plot filled() const;

private:
    Plot plot_;
    std::map<std::string, Series> series_;
    std::vector<std::string> order_; // of the legend
};

// Those of them that show something.
std::vector<Plot> filled(const std::vector<Frame>& frames);

// The firewall's cost against its rules, of the series "fw4-last", "fw6-hard-miss", …
Frame rules_frame(int family, std::string y_label);

} // namespace weir::bench
