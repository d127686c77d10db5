// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/plots.h"

namespace nexa::evaluation {

struct ReportScore {
    std::string name;  ///< as in the result's scores
    double value = 0;
    std::optional<Interval> interval;
    std::string about;  ///< what it says, in a sentence
};

/// One item to look at.
struct ReportSample {
    std::string id;
    std::string prompt;
    std::string expected;
    std::string got;
    std::string note;  ///< "cut off", "loss 3.2" …
};

/// Everything a report shows. Texts may be any bytes.
struct Report {
    std::string title;
    std::vector<std::pair<std::string, std::string>> facts;  ///< model, dataset, settings …
    std::vector<ReportScore> scores;
    std::vector<BarPlot> bars;
    std::vector<HistogramPlot> histograms;
    std::string samples_title;
    std::vector<ReportSample> samples;  ///< the first kSamplesMax are shown

    static constexpr std::size_t kSamplesMax = 50;
};

/// One HTML page for any browser, light or dark as the reader prefers, fit for printing. It holds
/// no script and asks for nothing from outside, and says so to the browser. Well-formed as XML.
/// Each score also stands in full in a <data value="…"> element.
std::string render_report(const Report& report);

}  // namespace nexa::evaluation
