// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/audit_totals.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <set>

#include <fmt/format.h>

namespace nexa::pipelines {

namespace {

double share(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Longer than CountStatistics counts is as good as the longest.
std::int64_t countable(std::int64_t value) {
    return std::min<std::int64_t>(value, std::numeric_limits<std::int32_t>::max());
}

Status add_summary(
    const data::CountStatistics& statistics,
    std::string_view name,
    std::map<std::string, double>& metrics
) {
    constexpr std::array kPoints{0.5, 0.95, 0.99};
    TRY(const data::Summary summary, statistics.summarize(kPoints));
    metrics[fmt::format("{}_mean", name)] = summary.mean;
    metrics[fmt::format("{}_min", name)] = summary.min;
    metrics[fmt::format("{}_max", name)] = summary.max;
    for (std::size_t i = 0; i < kPoints.size(); ++i) {
        metrics[fmt::format("{}_p{:.0f}", name, kPoints[i] * 100)] = summary.quantiles[i];
    }
    metrics[fmt::format("{}_total", name)] = static_cast<double>(statistics.sum());
    return {};
}

}  // namespace

void AuditTotals::add(const RowVerdict& verdict, data::Split split) {
    ++rows_;
    ++splits_[split];
    split_of_row_.push_back(split);
    malformed_ += verdict.well_formed ? 0 : 1;
    warned_ += verdict.well_formed && !verdict.lint.empty() ? 1 : 0;
    kept_ += verdict.keep ? 1 : 0;
    if (verdict.duplicate_of) {
        ++duplicates_;
        const auto first = static_cast<std::size_t>(*verdict.duplicate_of - 1);
        duplicates_across_splits_ += split_of_row_[first] != split ? 1 : 0;
    }
    if (verdict.filter_reason) {
        ++documents_;
        if (!verdict.filter_reason->empty()) {
            ++dropped_;
            ++filters_[std::string(*verdict.filter_reason)];
        }
    }
    std::set<data::LintRule> rules;
    for (const data::LintFinding& finding : verdict.lint) {
        if (rules.insert(finding.rule).second) {
            ++lint_[std::string(data::to_string(finding.rule))];
        }
    }
    chars_.add(countable(verdict.chars));
    bytes_.add(countable(verdict.bytes));
    tokens_.add(countable(verdict.tokens));
    answer_tokens_.add(countable(verdict.answer_tokens));
    const auto bin =
        static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(verdict.tokens)));
    token_bins_.resize(std::max(token_bins_.size(), bin + 1));
    ++token_bins_[bin];
}

data::QualityComponents AuditTotals::components() const {
    if (rows_ == 0) {
        return {};
    }
    data::QualityComponents components{
        .well_formed = share(rows_ - malformed_, rows_ + unreadable_),
        .distinct = share(rows_ - duplicates_, rows_),
    };
    if (documents_ > 0) {
        components.filtered_in = share(documents_ - dropped_, documents_);
    }
    return components;
}

Result<std::map<std::string, double>> AuditTotals::metrics() const {
    const auto real = [](std::int64_t count) { return static_cast<double>(count); };
    std::map<std::string, double> metrics{
        {"rows", real(rows_)},
        {"rows_unreadable", real(unreadable_)},
        {"rows_with_errors", real(malformed_)},
        {"rows_with_warnings", real(warned_)},
        {"rows_kept", real(kept_)},
        {"duplicates", real(duplicates_)},
        {"duplicates_across_splits", real(duplicates_across_splits_)},
    };
    for (const auto& [split, rows] : splits_) {
        metrics[fmt::format("rows_{}", data::to_string(split))] = real(rows);
    }
    for (const auto& [rule, rows] : lint_) {
        metrics[fmt::format("lint_{}", rule)] = real(rows);
    }
    for (const auto& [reason, rows] : filters_) {
        metrics[fmt::format("filter_{}", reason)] = real(rows);
    }
    const data::QualityComponents shares = components();
    metrics["well_formed"] = shares.well_formed.value_or(0);
    metrics["distinct"] = shares.distinct.value_or(0);
    if (shares.filtered_in) {
        metrics["filtered_in"] = *shares.filtered_in;
    }
    TRY_STATUS(add_summary(chars_, "chars", metrics));
    TRY_STATUS(add_summary(bytes_, "bytes", metrics));
    TRY_STATUS(add_summary(tokens_, "tokens", metrics));
    if (documents_ == 0) {
        TRY_STATUS(add_summary(answer_tokens_, "answer_tokens", metrics));
    }
    return metrics;
}

}  // namespace nexa::pipelines
