// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/check.h"
#include "core/utf8.h"

namespace nexa::cli {

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kColumnMin = 8;

/// The first `width` code points; the last of them is "…" if there were more.
std::string cut(const std::string& text, std::size_t width) {
    return utf8_length(text) <= width ? text : quotable(text, width - 1);
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string cell = cut(cells[i], widths[i]);
        line += cell;
        line.append(widths[i] - std::min(widths[i], utf8_length(cell)) + kGap, ' ');
    }
    line.resize(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

std::string one_line(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        const Utf8Front front = utf8_front(text);
        const std::string_view piece = text.substr(0, front.bytes);
        // U+0080 to U+009F are controls too: terminals take them as escapes.
        const bool is_c1 =
            piece.size() == 2 && piece[0] == '\xc2' && static_cast<unsigned char>(piece[1]) < 0xa0;
        const bool is_c0 =
            piece.size() == 1 && (static_cast<unsigned char>(piece[0]) < 0x20 || piece[0] == 0x7f);
        if (!front.is_whole) {
            line += '?';
        } else if (is_c0 || is_c1) {
            line += ' ';
        } else {
            line += piece;
        }
        text.remove_prefix(front.bytes);
    }
    return line;
}

void Table::add(std::vector<std::string> cells) {
    NEXA_CHECK(cells.size() == titles_.size());
    std::ranges::transform(cells, cells.begin(), one_line);
    rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::size_t columns) const {
    std::vector<std::size_t> widths(titles_.size());
    std::ranges::transform(titles_, widths.begin(), utf8_length);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], utf8_length(row[i]));
        }
    }
    std::size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
    while (total > columns) {
        const auto cut = std::span(widths).subspan(widths.size() > 1 ? 1 : 0);
        const auto widest = std::ranges::max_element(cut);
        if (*widest <= kColumnMin) {
            break;  // narrower than any reader wants: the terminal wraps
        }
        --*widest;
        --total;
    }
    return widths;
}

std::string Table::for_terminal(std::size_t columns, bool color) const {
    const auto width = widths(columns);
    std::string text = line_of(titles_, width);
    if (color) {
        text = "\x1b[1m" + text + "\x1b[0m";
    }
    text += '\n';
    for (const auto& row : rows_) {
        text += line_of(row, width) + '\n';
    }
    return text;
}

std::string Table::for_pipe() const {
    std::string text;
    for (const auto& row : rows_) {
        text += fmt::format("{}\n", fmt::join(row, "\t"));
    }
    return text;
}

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array<const char*, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    constexpr double kStep = 1024;
    if (bytes < 1024) {
        return fmt::format("{} B", bytes);
    }
    double value = static_cast<double>(bytes) / kStep;
    std::size_t unit = 0;
    while (value >= kStep && unit + 1 < kUnits.size()) {
        value /= kStep;
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_seconds(double seconds) {
    constexpr double kLongest = 1e9;
    if (!(seconds >= 0) || seconds > kLongest) {
        return "?";
    }
    const auto whole = static_cast<long long>(std::llround(seconds));
    if (whole >= 3600) {
        return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    }
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace nexa::cli
