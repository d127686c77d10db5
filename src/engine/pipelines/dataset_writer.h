// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/result.h"
#include "data/generators.h"
#include "engine/pipelines/lines_file.h"

namespace nexa::pipelines {

/// One made row: a question with its answer, and what is known about it.
struct MadeRow {
    std::string prompt;
    std::string answer;
    std::vector<std::pair<std::string, std::string>> meta;
};

/// Writes a dataset artifact: a JSON-lines file per split, and schema.json and preview.jsonl for
/// readers who want to know what it is without reading it. Holds nothing but counts in memory.
/// Blocks on the disk.
class DatasetWriter {
public:
    /// `folder` exists. Errors: kUnavailable.
    static Result<DatasetWriter> create(const std::filesystem::path& folder);

    /// Errors: kUnavailable (disk full).
    Status add(data::Split split, const MadeRow& row);
    /// Writes what follows from the rows. Errors: kUnavailable.
    Status finish();

    /// Rows by split, those with any.
    std::map<std::string, std::int64_t> counts() const;
    /// Distinct word trigrams as part of all, over the first rows; 1 where there is none.
    double diversity() const;

private:
    static constexpr std::size_t kSplits = 3;

    DatasetWriter(std::filesystem::path folder, LinesFile preview)
        : folder_(std::move(folder)), preview_(std::move(preview)) {}
    void measure(const MadeRow& row);

    std::filesystem::path folder_;
    std::array<std::optional<LinesFile>, kSplits> files_;
    std::array<std::int64_t, kSplits> rows_{};
    LinesFile preview_;
    std::int64_t previewed_ = 0;
    std::unordered_set<std::size_t> trigrams_;
    std::int64_t trigrams_seen_ = 0;
};

}  // namespace nexa::pipelines
