// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/audit_report.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include "evaluation/html.h"

namespace nexa::pipelines {

namespace {

using evaluation::escape_html;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit</title>
<style>
:root { color-scheme: light dark; --bar: #4c78a8; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.score { font-size: 2.5rem; font-weight: 600; }
.bar { fill: var(--bar); } svg text { fill: currentColor; font-size: 11px; }
</style>
</head>
<body>
)";

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void put_shares(std::string& out, const data::QualityComponents& shares) {
    using Row = std::pair<std::string_view, std::optional<double>>;
    put(out, "<h2>What the score is made of</h2>\n<table>\n");
    for (const auto& [name, share] :
         {Row("rows without an error in their form", shares.well_formed),
          Row("rows that repeat no earlier one", shares.distinct),
          Row("documents that the quality rules keep", shares.filtered_in)}) {
        if (share) {
            put(out, "<tr><td>{}</td><td class=\"n\">{:.2f} %</td></tr>\n", name, *share * 100);
        }
    }
    put(out, "</table>\n");
}

void put_counts(
    std::string& out,
    std::string_view title,
    const std::map<std::string, std::int64_t, std::less<>>& counts
) {
    if (counts.empty()) {
        return;
    }
    put(out, "<h2>{}</h2>\n<table>\n<tr><th>rule</th><th class=\"n\">rows</th></tr>\n", title);
    for (const auto& [rule, rows] : counts) {
        put(out, "<tr><td>{}</td><td class=\"n\">{}</td></tr>\n", escape_html(rule), rows);
    }
    put(out, "</table>\n");
}

/// Rows by their tokens, a bar for each power of two.
void put_histogram(std::string& out, const std::vector<std::int64_t>& bins) {
    constexpr std::size_t kBarHeight = 16;
    constexpr double kBarWidth = 600;
    if (bins.empty()) {
        return;
    }
    const auto first = static_cast<std::size_t>(
        std::ranges::find_if(bins, [](std::int64_t rows) { return rows > 0; }) - bins.begin()
    );
    const std::size_t shown = bins.size() - first;
    const auto most = static_cast<double>(std::ranges::max(bins));
    put(out,
        "<h2>Rows by tokens</h2>\n<svg role=\"img\" aria-label=\"rows by tokens\" width=\"100%\" "
        "viewBox=\"0 0 860 {}\">\n",
        shown * kBarHeight + 4);
    for (std::size_t i = 0; i < shown; ++i) {
        const std::size_t bin = first + i;
        const std::uint64_t low = bin == 0 ? 0 : std::uint64_t{1} << (bin - 1);
        const std::uint64_t high = bin == 0 ? 0 : (std::uint64_t{1} << bin) - 1;
        const std::size_t y = i * kBarHeight;
        const double width = kBarWidth * static_cast<double>(bins[bin]) / most;
        put(out,
            "<text x=\"150\" y=\"{}\" text-anchor=\"end\">{}–{}</text>"
            "<rect class=\"bar\" x=\"160\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>"
            "<text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
            y + 12,
            low,
            high,
            y + 2,
            width,
            kBarHeight - 4,
            165 + width,
            y + 12,
            bins[bin]);
    }
    put(out, "</svg>\n");
}

void put_examples(std::string& out, std::span<const AuditFinding> examples) {
    if (examples.empty()) {
        return;
    }
    put(out,
        "<h2>Examples</h2>\n<p>The first of each rule; findings.jsonl has them all.</p>\n<table>\n"
        "<tr><th>rule</th><th>where</th><th>what</th></tr>\n");
    std::vector<AuditFinding> sorted(examples.begin(), examples.end());
    std::ranges::sort(sorted, {}, [](const AuditFinding& finding) {
        return std::tie(finding.rule, finding.file, finding.number, finding.field);
    });
    for (const AuditFinding& finding : sorted) {
        put(out,
            "<tr><td>{}</td><td>{}:{} {}</td><td>{}</td></tr>\n",
            escape_html(finding.rule),
            escape_html(finding.file),
            finding.number,
            escape_html(finding.field),
            escape_html(finding.message));
    }
    put(out, "</table>\n");
}

void put_metrics(std::string& out, const AuditTotals& totals) {
    const auto metrics = totals.metrics();
    if (!metrics) {
        return;
    }
    put(out, "<h2>All numbers</h2>\n<table>\n");
    for (const auto& [name, value] : *metrics) {
        put(out, "<tr><td>{}</td><td class=\"n\">{:.6g}</td></tr>\n", escape_html(name), value);
    }
    put(out, "</table>\n");
}

}  // namespace

std::string to_html(const AuditReport& report) {
    std::string out(kHead);
    put(out, "<h1>Audit of {}</h1>\n", escape_html(report.dataset));
    put(out,
        "<p class=\"score\">{:.2f} <small>of 5, {}</small></p>\n",
        report.score.overall,
        escape_html(report.score.tier));
    put(out,
        "<p>{} rows of format {}, {} that cannot be read; tokens are counted by {}.</p>\n",
        report.totals.rows(),
        escape_html(report.format),
        report.totals.unreadable(),
        escape_html(report.tokenizer));
    put_shares(out, report.totals.components());
    put_histogram(out, report.totals.token_bins());
    put_counts(out, "Form", report.totals.lint());
    put_counts(
        out, "Quality rules (Gopher; words are split at white space)", report.totals.filters()
    );
    put_examples(out, report.examples);
    put_metrics(out, report.totals);
    out += "</body>\n</html>\n";
    return out;
}

}  // namespace nexa::pipelines
