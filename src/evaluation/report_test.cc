// SPDX-License-Identifier: Apache-2.0
#include "evaluation/report.h"

#include <cctype>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/utf8.h"
#include "evaluation/html.h"

namespace nexa::evaluation {
namespace {

/// Checks that elements nest, attributes are quoted and no bare '&' or '<' stands in text: what any
/// XML parser would check of a page without entities of its own. Empty if all is well.
std::string fault_in(std::string_view page) {
    std::vector<std::string> open;
    for (std::size_t i = 0; i < page.size();) {
        if (page[i] == '&') {
            const std::size_t end = page.find(';', i);
            const std::string_view name = page.substr(i, end - i);
            if (name != "&amp" && name != "&lt" && name != "&gt" && name != "&quot" &&
                name != "&#39") {
                return "a bare & at " + std::to_string(i);
            }
        }
        if (page[i] != '<') {
            ++i;
            continue;
        }
        const std::size_t end = page.find('>', i);
        if (end == std::string_view::npos) {
            return "a tag without end";
        }
        std::string_view tag = page.substr(i + 1, end - i - 1);
        i = end + 1;
        if (tag.starts_with('!')) {
            continue;
        }
        if (std::count(tag.begin(), tag.end(), '"') % 2 != 0 ||
            tag.find('<') != std::string_view::npos) {
            return "a broken tag: " + std::string(tag);
        }
        if (tag.starts_with('/')) {
            if (open.empty() || open.back() != tag.substr(1)) {
                return "closes what is not open: " + std::string(tag);
            }
            open.pop_back();
        } else if (!tag.ends_with('/')) {
            open.emplace_back(tag.substr(0, tag.find_first_of(" \n")));
        }
    }
    return open.empty() ? "" : "never closed: " + open.back();
}

Report sample_report() {
    return {
        .title = "Evaluation of <ckpt & co>",
        .facts = {{"model", "ckpt_1"}, {"seed", "0"}},
        .scores =
            {{.name = "exact_match",
              .value = 0.9921875,
              .interval = Interval{.low = 0.98, .high = 0.997},
              .about = "answers equal to the reference"},
             {.name = "samples", .value = 1000, .interval = {}, .about = ""}},
        .bars =
            {{.title = "Right answers by digits",
              .bars =
                  {{.label = "1", .value = 1, .interval = {.low = 0.9, .high = 1}, .count = 40},
                   {.label = "a label that is far too long to be shown whole",
                    .value = 0,
                    .interval = {.low = 0, .high = 0.1},
                    .count = 40}}}},
        .histograms =
            {{.title = "Tokens in an answer",
              .unit = "tokens",
              .histogram = {.edges = {1, 2, 3, 4}, .counts = {5, 0, 2}}}},
        .samples_title = "Wrong answers",
        .samples = {{
            .id = "7",
            .prompt = "<script>alert(\"x\")</script>\n& more",
            .expected = "</td></tr>",
            .got = std::string("\xFF\x00 bell \x07", 8),
            .note = "'cut off'",
        }},
    };
}

TEST(Report, IsWellFormed) {
    const std::string page = render_report(sample_report());
    EXPECT_EQ(fault_in(page), "");
    EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
    EXPECT_EQ(fault_in(render_report({})), "");
}

TEST(Report, TheCheckerItselfFindsFaults) {
    EXPECT_NE(fault_in("<p>a & b</p>"), "");
    EXPECT_NE(fault_in("<p><b></p></b>"), "");
    EXPECT_NE(fault_in("<p"), "");
    EXPECT_NE(fault_in("<p>"), "");
    EXPECT_EQ(fault_in("<p class=\"x\">a &amp; b<br/></p>"), "");
}

TEST(Report, EscapesWhatModelsAndUsersWrote) {
    const std::string page = render_report(sample_report());
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"), std::string::npos);
    EXPECT_NE(page.find("&lt;/td&gt;&lt;/tr&gt;"), std::string::npos);
    EXPECT_NE(page.find("Evaluation of &lt;ckpt &amp; co&gt;"), std::string::npos);
    EXPECT_TRUE(is_utf8(page));
    EXPECT_EQ(page.find('\x07'), std::string::npos);
}

TEST(Report, AsksForNothingFromOutside) {
    std::string page = render_report(sample_report());
    EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
    constexpr std::string_view kNamespace = "xmlns=\"http://www.w3.org/2000/svg\"";
    for (std::size_t at = page.find(kNamespace); at != std::string::npos;
         at = page.find(kNamespace)) {
        page.erase(at, kNamespace.size());
    }
    for (const char* reference : {"http:", "https:", "url(", "src=", "href=", "@import", "//"}) {
        EXPECT_EQ(page.find(reference), std::string::npos) << reference;
    }
}

TEST(Report, HoldsEachScoreInFull) {
    const std::string page = render_report(sample_report());
    for (const char* number : {"0.9921875", "0.98", "0.997", "1000"}) {
        EXPECT_NE(page.find(fmt::format("<data value=\"{}\">", number)), std::string::npos)
            << number;
    }
}

TEST(Report, ReadsInTheDarkAndOnPaper) {
    const std::string page = render_report(sample_report());
    EXPECT_NE(page.find("prefers-color-scheme: dark"), std::string::npos);
    EXPECT_NE(page.find("@media print"), std::string::npos);
}

TEST(Report, IsBoundedHoweverManySamplesThereAre) {
    Report report;
    report.samples_title = "Wrong answers";
    for (int i = 0; i < 5000; ++i) {
        report.samples.push_back({.prompt = std::string(100'000, 'x')});
    }
    EXPECT_LT(render_report(report).size(), 1'000'000U);
}

TEST(Plots, ABarIsAsLongAsItsShareAndItsIntervalLiesAroundIt) {
    const std::string svg = to_svg(BarPlot{
        .title = "t",
        .bars = {{.label = "x", .value = 0.5, .interval = {.low = 0.25, .high = 0.75}, .count = 8}},
    });
    EXPECT_NE(svg.find("width=\"160.0\""), std::string::npos);  // half of 320
    EXPECT_NE(svg.find("class=\"whisker\" x1=\"250.0\""), std::string::npos);
    EXPECT_NE(svg.find("x2=\"410.0\""), std::string::npos);
    EXPECT_NE(svg.find("50.0 % of 8"), std::string::npos);
}

TEST(Plots, TheHighestBinFillsTheHistogram) {
    const std::string svg = to_svg(HistogramPlot{
        .title = "t", .unit = "u", .histogram = {.edges = {0, 1, 2}, .counts = {4, 2}}
    });
    EXPECT_NE(svg.find("height=\"150.0\""), std::string::npos);
    EXPECT_NE(svg.find("height=\"75.0\""), std::string::npos);
    EXPECT_EQ(fault_in(svg), "");
    EXPECT_EQ(fault_in(to_svg(HistogramPlot{.title = "empty"})), "");
}

TEST(EscapeHtml, CutsAtACodePoint) {
    EXPECT_EQ(escape_html("äöü", 2), "äö…");
    EXPECT_EQ(escape_html("äö", 2), "äö");
    EXPECT_EQ(escape_html("<>", 1), "&lt;…");
    EXPECT_EQ(escape_html("\xEF\xBF\xBE"), "\xEF\xBF\xBD");
    EXPECT_EQ(escape_html(""), "");
}

}  // namespace
}  // namespace nexa::evaluation
