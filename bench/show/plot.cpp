#include "bench/show/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>

#include "bench/show/figure_text.h"

namespace weir::bench {
namespace {

// Okabe and Ito's, which differ for the colour-blind too, from dark to light; without its yellow,
// that nobody sees on white.
constexpr std::array kPalette = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                 "#e69f00", "#56b4e9", "#000000"};
// Circle, square, triangle, diamond, … as gnuplot numbers them: filled, and the same hollow for a
// dashed line.
constexpr std::array kFilled = {7, 5, 9, 13, 11, 15, 3};
constexpr std::array kHollow = {6, 4, 8, 12, 10, 14, 2};

constexpr int kLegendRows = 4; // then one more column
constexpr int kWidth = 960;    // of the picture, in px
constexpr int kLinesHeight = 520;
constexpr int kBarHeight = 22;
constexpr int kAroundBars = 130;    // title, axis, its label
constexpr double kGroupShare = 0.8; // of its place that a group's bars fill
constexpr double kLabelRoom = 0.12; // right of the longest bar, as a share of it
constexpr const char* kErrorBars = "lc rgb '#222222' lw 1 pt 0";

template <typename T>
const T& nth(const std::array<T, kPalette.size()>& of, std::size_t i) {
    return of[i % of.size()];
}

// A string of gnuplot: nothing is special between single quotes but the quote, and a newline, which
// would end the command.
std::string literal(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') {
            quoted += "''";
        } else {
            quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
        }
    }
    return quoted + "'";
}

std::string data(std::size_t index, const std::vector<std::string>& rows) {
    return fmt::format("$series{} << END\n{}\nEND\n", index, fmt::join(rows, "\n"));
}

std::string axis(char which, const std::string& label, bool log) {
    return fmt::format("set {}label {}\n"
                       "{}\n",
                       which, literal(label),
                       log ? fmt::format("set logscale {}", which)
                           : fmt::format("set {}range [0:*]", which));
}

bool has_spread(const Series& series) {
    return std::any_of(series.points.begin(), series.points.end(),
                       [](const Point& point) { return point.y.spread() > 0; });
}

std::string lines(const Plot& plot) {
    std::string script = axis('x', plot.x_label, plot.log_x) + axis('y', plot.y_label, plot.log_y);
    // 1k, 1M: as people say the numbers of rules and flows.
    script += fmt::format("set grid x y ls 100\n{}", plot.log_x ? "set format x '%.0s%c'\n" : "");
    std::vector<std::string> drawn, spreads;
    for (std::size_t i = 0; i < plot.series.size(); i++) {
        const Series& series = plot.series[i];
        std::vector<std::string> rows;
        for (const Point& point : series.points) {
            rows.push_back(
                fmt::format("{} {} {} {}", point.x, point.y.median, point.y.lower, point.y.upper));
        }
        script += data(i, rows);
        drawn.push_back(fmt::format(
            "$series{} using 1:2 with linespoints title {} lc rgb '{}' lw 2 dt {} pt {} ps 0.9", i,
            literal(series.title), nth(kPalette, series.colour), series.dashed ? 2 : 1,
            nth(series.dashed ? kHollow : kFilled, series.colour)));
        if (has_spread(series)) {
            spreads.push_back(
                fmt::format("$series{} using 1:2:3:4 with yerrorbars notitle {}", i, kErrorBars));
        }
    }
    drawn.insert(drawn.begin(), spreads.begin(), spreads.end()); // under every marker
    return script + fmt::format("plot {}\n", fmt::join(drawn, ", "));
}

// The bars of a group lie one below the other around its place; where a group has none of a
// colour, no room is left for it.
class Lanes {
public:
    explicit Lanes(const Plot& plot) : bars_(plot.groups.size()), used_(plot.groups.size()) {
        for (const Series& series : plot.series) {
            for (const Point& point : series.points) {
                most_ = std::max(most_, ++bars_.at(static_cast<std::size_t>(point.x)));
            }
        }
    }
    double height() const { return kGroupShare / most_; }
    // The middle of the next bar of the group.
    double next(double group) {
        const auto i = static_cast<std::size_t>(group);
        return group + (used_.at(i)++ - (bars_.at(i) - 1) / 2.0) * height();
    }
    int most() const { return most_; }

private:
    std::vector<int> bars_, used_; // of each group
    int most_ = 1;
};

// From 0, or from the decade below the smallest figure; with room for the label of the longest bar.
std::pair<double, double> range(const Plot& plot) {
    double smallest = std::numeric_limits<double>::max(), largest = 0;
    for (const Series& series : plot.series) {
        for (const Point& point : series.points) {
            smallest = std::min(smallest, point.y.lower);
            largest = std::max(largest, point.y.upper);
        }
    }
    if (!plot.log_y) {
        return {0, largest > 0 ? largest * (1 + kLabelRoom) : 1};
    }
    const double from = std::pow(10, std::floor(std::log10(smallest / 1.5)));
    return {from, largest * std::pow(largest / from, kLabelRoom)};
}

std::string bars(const Plot& plot) {
    const auto [from, to] = range(plot);
    std::string script = axis('x', plot.y_label, plot.log_y) +
                         fmt::format("set xrange [{}:{}]\nset grid x ls 100\n", from, to);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < plot.groups.size(); i++) {
        names.push_back(fmt::format("{} {}", literal(plot.groups[i]), i));
    }
    script += fmt::format("set ytics scale 0 ({})\nset yrange [{}:-0.5]\n", fmt::join(names, ", "),
                          static_cast<double>(plot.groups.size()) - 0.5);
    Lanes lanes(plot);
    std::vector<std::string> drawn;
    for (std::size_t i = 0; i < plot.series.size(); i++) {
        const Series& series = plot.series[i];
        std::vector<std::string> rows;
        for (const Point& point : series.points) {
            const double y = lanes.next(point.x);
            rows.push_back(fmt::format("{} {:.4f} {} {} {:.4f} {:.4f} {}", point.y.median, y,
                                       point.y.lower, point.y.upper, y - lanes.height() / 2,
                                       y + lanes.height() / 2, readable(point.y.median)));
        }
        script += data(i, rows);
        drawn.push_back(fmt::format(
            "$series{} using 1:2:({}):1:5:6 with boxxyerror {} fs solid 0.85 noborder lc rgb '{}'",
            i, from, series.title.empty() ? "notitle" : "title " + literal(series.title),
            nth(kPalette, series.colour)));
        if (has_spread(series)) {
            drawn.push_back(
                fmt::format("$series{} using 1:2:3:4 with xerrorbars notitle {}", i, kErrorBars));
        }
        drawn.push_back(fmt::format(
            "$series{} using 4:2:7 with labels left offset 0.6,0 tc rgb '#222222' notitle", i));
    }
    return script + fmt::format("plot {}\n", fmt::join(drawn, ", "));
}

int height(const Plot& plot) {
    if (plot.groups.empty()) {
        return kLinesHeight;
    }
    return kAroundBars + kBarHeight * static_cast<int>(plot.groups.size()) * Lanes(plot).most();
}

// What the ids in an SVG begin with, so that several can stand in one page.
std::string identifier(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

} // namespace

std::string gnuplot_script(const std::vector<Plot>& plots) {
    std::string script;
    for (const Plot& plot : plots) {
        script +=
            fmt::format("reset session\n"
                        "set terminal svg noenhanced size {0},{1} font 'sans-serif,14' "
                        "background '#ffffff' name '{5}'\n"
                        "set output {2}\n"
                        "set title {3} font ',16'\n"
                        "set border 3 lc rgb '#888888'\n"
                        "set tics nomirror out tc rgb '#222222'\n"
                        "set style line 100 lc rgb '#dddddd' lw 1\n"
                        "set key below vertical maxrows {4} Left reverse spacing 1.2 title ' '\n"
                        "set errorbars 0.7\n",
                        kWidth, height(plot), literal(plot.name + ".svg"), literal(plot.title),
                        plot.groups.empty() ? kLegendRows : 1, identifier(plot.name));
        script += plot.groups.empty() ? lines(plot) : bars(plot);
        // Twice as many pixels as the SVG says, for screens that have them.
        script += fmt::format("set terminal pngcairo noenhanced size {},{} fontscale 2 linewidth 2 "
                              "pointscale 2 font 'sans-serif,10.5' background '#ffffff'\n"
                              "set output {}\nreplot\nunset output\n",
                              2 * kWidth, 2 * height(plot), literal(plot.name + ".png"));
    }
    return script;
}

} // namespace weir::bench
