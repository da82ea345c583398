#include "bench/show/plot.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

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

template <typename T>
const T& nth(const std::array<T, kPalette.size()>& of, std::size_t i) {
    return of[i % of.size()];
}

// A string of gnuplot: nothing is special between single quotes but the quote, and a newline, which
// would end the command.
std::string quoted(std::string_view text) {
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
                       which, quoted(label),
                       log ? fmt::format("set logscale {}", which)
                           : fmt::format("set {}range [0:*]", which));
}

std::string lines(const Plot& plot) {
    std::string script = axis('x', plot.x_label, plot.log_x) + axis('y', plot.y_label, plot.log_y);
    // 1k, 1M: as people say the numbers of rules and flows.
    script += "set format x '%.0s%c'\nset grid x y ls 100\n";
    std::vector<std::string> drawn;
    for (std::size_t i = 0; i < plot.series.size(); i++) {
        const Series& series = plot.series[i];
        std::vector<std::string> rows;
        for (const Point& point : series.points) {
            rows.push_back(
                fmt::format("{} {} {} {}", point.x, point.y.median, point.y.lower, point.y.upper));
        }
        script += data(i, rows);
        const char* const colour = nth(kPalette, series.colour);
        drawn.push_back(fmt::format(
            "$series{} using 1:2:3:4 with yerrorbars notitle lc rgb '{}' lw 1.5 pt 0", i, colour));
        drawn.push_back(fmt::format(
            "$series{} using 1:2 with linespoints title {} lc rgb '{}' lw 2 dt {} pt {} ps 1.1", i,
            quoted(series.title), colour, series.dashed ? 2 : 1,
            nth(series.dashed ? kHollow : kFilled, series.colour)));
    }
    return script + fmt::format("plot {}\n", fmt::join(drawn, ", "));
}

std::string bars(const Plot& plot) {
    const double count = static_cast<double>(std::max<std::size_t>(plot.series.size(), 1));
    const double height = kGroupShare / count;
    std::string script = axis('x', plot.y_label, plot.log_y) + "set grid x ls 100\n";
    std::vector<std::string> names;
    for (std::size_t i = 0; i < plot.groups.size(); i++) {
        names.push_back(fmt::format("{} {}", quoted(plot.groups[i]), i));
    }
    script += fmt::format("set ytics scale 0 ({})\nset yrange [{}:-0.5]\n", fmt::join(names, ", "),
                          static_cast<double>(plot.groups.size()) - 0.5);
    std::vector<std::string> drawn;
    for (std::size_t i = 0; i < plot.series.size(); i++) {
        const Series& series = plot.series[i];
        // Bars of a group lie one below the other around the group's place.
        const double shift = (static_cast<double>(i) - (count - 1) / 2) * height;
        std::vector<std::string> rows;
        for (const Point& point : series.points) {
            const double y = point.x + shift;
            rows.push_back(fmt::format("{} {} {} {} {} {} {:.4g}", point.y.median, y, point.y.lower,
                                       point.y.upper, y - height / 2, y + height / 2,
                                       point.y.median));
        }
        script += data(i, rows);
        const char* const colour = nth(kPalette, series.colour);
        drawn.push_back(fmt::format("$series{} using 1:2:({}):1:5:6 with boxxyerror title {} "
                                    "fs solid 0.85 noborder lc rgb '{}'",
                                    i, plot.log_y ? "1e-9" : "0", quoted(series.title), colour));
        drawn.push_back(fmt::format(
            "$series{} using 1:2:3:4 with xerrorbars notitle lc rgb '#222222' lw 1 pt 0", i));
        drawn.push_back(fmt::format(
            "$series{} using 4:2:7 with labels left offset 0.6,0 tc rgb '#222222' notitle", i));
    }
    return script + fmt::format("plot {}\n", fmt::join(drawn, ", "));
}

int height(const Plot& plot) {
    if (plot.groups.empty()) {
        return kLinesHeight;
    }
    return kAroundBars + kBarHeight * static_cast<int>(plot.groups.size() * plot.series.size());
}

} // namespace

std::string gnuplot_script(const std::vector<Plot>& plots) {
    std::string script;
    for (const Plot& plot : plots) {
        script += fmt::format("reset session\n"
                              "set terminal svg noenhanced size {0},{1} font 'sans-serif,14' "
                              "background '#ffffff'\n"
                              "set output {2}\n"
                              "set title {3} font ',16'\n"
                              "set border 3 lc rgb '#888888'\n"
                              "set tics nomirror out tc rgb '#222222'\n"
                              "set style line 100 lc rgb '#dddddd' lw 1\n"
                              "set key below vertical maxrows {4} Left reverse spacing 1.2\n"
                              "set errorbars 0.7\n",
                              kWidth, height(plot), quoted(plot.name + ".svg"), quoted(plot.title),
                              plot.groups.empty() ? kLegendRows : 1);
        script += plot.groups.empty() ? lines(plot) : bars(plot);
        // Twice as many pixels as the SVG says, for screens that have them.
        script += fmt::format("set terminal pngcairo noenhanced size {},{} fontscale 2 linewidth 2 "
                              "pointscale 2 font 'sans-serif,10.5' background '#ffffff'\n"
                              "set output {}\nreplot\nunset output\n",
                              2 * kWidth, 2 * height(plot), quoted(plot.name + ".png"));
    }
    return script;
}

} // namespace weir::bench
