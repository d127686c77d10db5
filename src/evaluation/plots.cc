// SPDX-License-Identifier: Apache-2.0
#include "evaluation/plots.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "evaluation/html.h"

namespace nexa::evaluation {

namespace {

constexpr double kWidth = 640;
constexpr std::size_t kLabelCodePoints = 22;

std::string open_svg(const std::string& title, double height) {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:g} {:g}\" role=\"img\">"
        "<title>{}</title>",
        kWidth,
        height,
        escape_html(title)
    );
}

std::string text_at(double x, double y, std::string_view anchor, const std::string& escaped) {
    return fmt::format(
        "<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>",
        x,
        y,
        anchor,
        escaped
    );
}

std::string line(std::string_view style, double x1, double y1, double x2, double y2) {
    return fmt::format(
        "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
        style,
        x1,
        y1,
        x2,
        y2
    );
}

std::string rectangle(double x, double y, double width, double height) {
    return fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
        x,
        y,
        std::max(width, 0.0),
        std::max(height, 0.0)
    );
}

}  // namespace

std::string to_svg(const BarPlot& plot) {
    constexpr double kLeft = 170;
    constexpr double kPlotWidth = 320;
    constexpr double kRow = 26;
    constexpr double kBar = 16;
    const double bottom = kRow * static_cast<double>(plot.bars.size()) + 4;
    const auto x_of = [&](double share) {
        return kLeft + kPlotWidth * std::clamp(share, 0.0, 1.0);
    };
    std::string svg = open_svg(plot.title, bottom + 22);
    for (int tick = 0; tick <= 4; ++tick) {
        const double share = tick / 4.0;
        svg += line("grid", x_of(share), 0, x_of(share), bottom);
        svg += text_at(x_of(share), bottom + 16, "middle", fmt::format("{:g} %", share * 100));
    }
    double top = 4;
    for (const Bar& bar : plot.bars) {
        const double middle = top + kBar / 2;
        svg += text_at(kLeft - 8, middle + 4, "end", escape_html(bar.label, kLabelCodePoints));
        svg += rectangle(kLeft, top, x_of(bar.value) - kLeft, kBar);
        svg += line("whisker", x_of(bar.interval.low), middle, x_of(bar.interval.high), middle);
        for (const double end : {bar.interval.low, bar.interval.high}) {
            svg += line("whisker", x_of(end), middle - 4, x_of(end), middle + 4);
        }
        svg += text_at(
            kLeft + kPlotWidth + 12,
            middle + 4,
            "start",
            fmt::format("{:.1f} % of {}", bar.value * 100, bar.count)
        );
        top += kRow;
    }
    return svg + "</svg>";
}

std::string to_svg(const HistogramPlot& plot) {
    constexpr double kLeft = 60;
    constexpr double kPlotWidth = 560;
    constexpr double kTop = 12;
    constexpr double kPlotHeight = 150;
    constexpr double kBottom = kTop + kPlotHeight;
    const auto& [edges, counts] = plot.histogram;
    std::string svg = open_svg(plot.title, kBottom + 42);
    svg += line("grid", kLeft, kBottom, kLeft + kPlotWidth, kBottom);
    if (counts.empty()) {
        return svg + "</svg>";
    }
    const auto most = static_cast<double>(std::max<std::int64_t>(std::ranges::max(counts), 1));
    const double width = kPlotWidth / static_cast<double>(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double height = kPlotHeight * static_cast<double>(counts[i]) / most;
        const double left = kLeft + width * static_cast<double>(i);
        svg += rectangle(left, kBottom - height, width - 1, height);
    }
    svg += text_at(kLeft - 8, kTop + 4, "end", fmt::format("{:g}", most));
    svg += text_at(kLeft - 8, kBottom, "end", "0");
    const double ends[] = {edges.front(), (edges.front() + edges.back()) / 2, edges.back()};
    for (std::size_t i = 0; i < std::size(ends); ++i) {
        const double x = kLeft + kPlotWidth * static_cast<double>(i) / 2;
        svg += text_at(x, kBottom + 16, "middle", fmt::format("{:.3g}", ends[i]));
    }
    svg += text_at(kLeft + kPlotWidth / 2, kBottom + 34, "middle", escape_html(plot.unit));
    return svg + "</svg>";
}

}  // namespace nexa::evaluation
