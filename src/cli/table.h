// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nexa::cli {

/// Rows of text under titles, for people or for programs.
class Table {
public:
    explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

    /// As many cells as there are titles.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }

    /// Aligned columns under a line of titles, bold if `color`; cells are cut (with "…") so that a
    /// line fits in `columns`, the widest column first; never those of the first of several
    /// columns, which say which row it is. No trailing spaces.
    std::string for_terminal(std::size_t columns, bool color) const;
    /// One row a line, cells separated by tabs, no titles. What would break a line or a column in a
    /// cell becomes a space.
    std::string for_pipe() const;

private:
    std::vector<std::size_t> widths(std::size_t columns) const;

    std::vector<std::string> titles_;
    std::vector<std::vector<std::string>> rows_;
};

/// Text of a server made fit for one line of a terminal: control characters become spaces.
std::string one_line(std::string_view text);

/// "1.5 GiB", "12 B".
std::string human_bytes(std::uint64_t bytes);
/// "1:02:03", "2:05".
std::string human_seconds(double seconds);

}  // namespace nexa::cli
