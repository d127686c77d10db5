// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "data/generators.h"
#include "data/quality_score.h"
#include "data/statistics.h"
#include "engine/pipelines/audit_row.h"

namespace nexa::pipelines {

/// Counts over a dataset what an audit says about its rows. One thread.
class AuditTotals {
public:
    /// Rows come in their order: the n-th has the number n.
    void add(const RowVerdict& verdict, data::Split split);
    /// A row, or a whole file, that cannot be read.
    void add_unreadable() { ++unreadable_; }

    std::int64_t rows() const { return rows_; }
    std::int64_t unreadable() const { return unreadable_; }
    /// Shares as quality_score wants them. What cannot be read is not well formed.
    data::QualityComponents components() const;
    /// By name, as docs/formats/audit.md lists them.
    Result<std::map<std::string, double>> metrics() const;

    /// Lint rules and quality rules that some row breaks, with the rows that do.
    const std::map<std::string, std::int64_t, std::less<>>& lint() const { return lint_; }
    const std::map<std::string, std::int64_t, std::less<>>& filters() const { return filters_; }
    const data::CountStatistics& tokens() const { return tokens_; }
    /// Rows by tokens: bin i holds those of 2^(i-1) up to 2^i - 1 tokens; bin 0 those of none.
    const std::vector<std::int64_t>& token_bins() const { return token_bins_; }

private:
    std::int64_t rows_ = 0;
    std::int64_t unreadable_ = 0;
    std::int64_t malformed_ = 0;
    std::int64_t warned_ = 0;
    std::int64_t duplicates_ = 0;
    std::int64_t duplicates_across_splits_ = 0;
    std::int64_t documents_ = 0;
    std::int64_t dropped_ = 0;
    std::int64_t kept_ = 0;
    std::map<data::Split, std::int64_t> splits_;
    std::vector<data::Split> split_of_row_;
    std::map<std::string, std::int64_t, std::less<>> lint_;
    std::map<std::string, std::int64_t, std::less<>> filters_;
    data::CountStatistics chars_;
    data::CountStatistics bytes_;
    data::CountStatistics tokens_;
    data::CountStatistics answer_tokens_;
    std::vector<std::int64_t> token_bins_;
};

}  // namespace nexa::pipelines
