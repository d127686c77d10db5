// SPDX-License-Identifier: Apache-2.0
#include "evaluation/report.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "evaluation/html.h"

namespace nexa::evaluation {

namespace {

constexpr std::string_view kStyle = R"(
:root { --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d7dde3; --bar: #4c78a8; --whisker: #1b1f24; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181d; --ink: #e6eaee; --soft: #97a3af; --line: #323a43; --bar: #6a9bd1; --whisker: #e6eaee; }
}
@media print {
  :root { --page: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --bar: #888888; --whisker: #000000; }
  section, tr { break-inside: avoid; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; print-color-adjust: exact; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.soft, footer { color: var(--soft); }
td.text { white-space: pre-wrap; font-family: ui-monospace, monospace; font-size: 0.85rem; }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; max-width: 44rem; height: auto; font: 12px system-ui, sans-serif; }
.bar { fill: var(--bar); }
.whisker { stroke: var(--whisker); stroke-width: 1.5; }
.grid { stroke: var(--line); }
.label { fill: var(--ink); }
footer { margin-top: 2rem; font-size: 0.85rem; }
)";

constexpr std::size_t kSampleCodePoints = 600;

std::string head(const Report& report) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
        escape_html(report.title, 200),
        kStyle
    );
}

std::string number(double value) {
    return fmt::format("<data value=\"{}\">{:.4g}</data>", value, value);
}

std::string scores_table(const Report& report) {
    std::string html =
        "<section>\n<h2>Scores</h2>\n<table>\n<thead><tr><th>score</th>"
        "<th class=\"number\">value</th><th class=\"number\">95 % interval</th><th></th></tr>"
        "</thead>\n<tbody>\n";
    for (const ReportScore& score : report.scores) {
        const std::string interval =
            score.interval
                ? fmt::format("{} to {}", number(score.interval->low), number(score.interval->high))
                : std::string();
        html += fmt::format(
            "<tr><th>{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td>"
            "<td class=\"soft\">{}</td></tr>\n",
            escape_html(score.name),
            number(score.value),
            interval,
            escape_html(score.about)
        );
    }
    return html + "</tbody>\n</table>\n</section>\n";
}

std::string facts_table(const Report& report) {
    std::string html = "<section>\n<h2>What was measured</h2>\n<table>\n<tbody>\n";
    for (const auto& [name, value] : report.facts) {
        html +=
            fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
    }
    return html + "</tbody>\n</table>\n</section>\n";
}

template <class Plot>
std::string plots(const std::vector<Plot>& all) {
    std::string html;
    for (const Plot& plot : all) {
        html += fmt::format(
            "<section>\n<h2>{}</h2>\n{}\n</section>\n", escape_html(plot.title), to_svg(plot)
        );
    }
    return html;
}

struct SampleColumn {
    std::string_view title;
    std::string_view style;
    std::string ReportSample::* text;
};

constexpr std::array<SampleColumn, 5> kSampleColumns{{
    {"item", "", &ReportSample::id},
    {"asked", "text", &ReportSample::prompt},
    {"expected", "text", &ReportSample::expected},
    {"got", "text", &ReportSample::got},
    {"note", "soft", &ReportSample::note},
}};

/// The columns in which any sample has something to show.
std::vector<SampleColumn> columns_of(std::span<const ReportSample> samples) {
    std::vector<SampleColumn> columns;
    for (const SampleColumn& column : kSampleColumns) {
        const bool is_used = std::ranges::any_of(samples, [&](const ReportSample& sample) {
            return !(sample.*column.text).empty();
        });
        if (is_used) {
            columns.push_back(column);
        }
    }
    return columns;
}

std::string samples_table(const Report& report) {
    const auto shown =
        std::span(report.samples).first(std::min(report.samples.size(), Report::kSamplesMax));
    const std::vector<SampleColumn> columns = columns_of(shown);
    std::string html = fmt::format(
        "<section>\n<h2>{}</h2>\n<div class=\"wide\">\n<table>\n<thead><tr>",
        escape_html(report.samples_title)
    );
    for (const SampleColumn& column : columns) {
        html += fmt::format("<th>{}</th>", column.title);
    }
    html += "</tr></thead>\n<tbody>\n";
    for (const ReportSample& sample : shown) {
        html += "<tr>";
        for (const SampleColumn& column : columns) {
            html += fmt::format(
                "<td class=\"{}\">{}</td>",
                column.style,
                escape_html(sample.*column.text, kSampleCodePoints)
            );
        }
        html += "</tr>\n";
    }
    return html + "</tbody>\n</table>\n</div>\n</section>\n";
}

}  // namespace

std::string render_report(const Report& report) {
    std::string html = head(report);
    html += scores_table(report);
    html += plots(report.bars);
    html += plots(report.histograms);
    if (!report.samples.empty()) {
        html += samples_table(report);
    }
    if (!report.facts.empty()) {
        html += facts_table(report);
    }
    html +=
        "</main>\n<footer>Made by Nexa Forge. Intervals cover the true value in 95 of 100 "
        "cases.</footer>\n</body>\n</html>\n";
    return html;
}

}  // namespace nexa::evaluation
