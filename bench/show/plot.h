#pragma once

#include <string>
#include <vector>

#include "bench/statistics.h"

namespace weir::bench {

struct Point {
    double x = 0;
    Figure y;
};

// One line; or, in a chart of bars, the bars of one colour.
struct Series {
    std::string title;
    std::vector<Point> points = {};
    // Which of the palette's colours. Series of one kind share a colour, and one of them is dashed.
    std::size_t colour = 0;
    bool dashed = false;
};

struct Plot {
    std::string name; // of its files: NAME.svg, NAME.png
    std::string title;
    std::string x_label = {};
    std::string y_label; // of the figures: what and its unit
    bool log_x = false;
    bool log_y = false;
    // Not empty: a chart of bars, which lie so that long names can be read. A point's x is the
    // index of its group.
    std::vector<std::string> groups = {};
    std::vector<Series> series = {};
};

// Commands that make gnuplot write each plot's two files into the folder in which it runs. Names
// and titles may hold any text.
std::string gnuplot_script(const std::vector<Plot>& plots);

} // namespace weir::bench
