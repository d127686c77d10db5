// SPDX-License-Identifier: Apache-2.0
#include "monitoring/prometheus.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "core/utf8.h"

namespace nexa::monitoring {

namespace {

std::string_view kind_name(MetricKind kind) {
    switch (kind) {
        case MetricKind::kCounter:
            return "counter";
        case MetricKind::kGauge:
            return "gauge";
        case MetricKind::kHistogram:
            return "histogram";
    }
    return "untyped";
}

/// fmt's shortest form that reads back equal; the format's own words for what is no number.
std::string number(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    return fmt::format("{}", value);
}

enum class Quoted : bool { kNo, kYes };

/// A line break would end the line, a quote the label value.
void append_escaped(std::string_view text, Quoted quoted, std::string& out) {
    while (!text.empty()) {
        const Utf8Front front = utf8_front(text);
        const char first = text.front();
        if (!front.is_whole) {
            out += "\xEF\xBF\xBD";
        } else if (first == '\n') {
            out += "\\n";
        } else if (first == '\\' || (first == '"' && quoted == Quoted::kYes)) {
            out += '\\';
            out += first;
        } else {
            out += text.substr(0, front.bytes);
        }
        text.remove_prefix(front.bytes);
    }
}

void append_label(std::string_view name, std::string_view value, std::string& out) {
    out += name;
    out += "=\"";
    append_escaped(value, Quoted::kYes, out);
    out += '"';
}

struct Sample {
    std::string_view name;
    std::string_view suffix;
    const Labels& labels;
    std::string_view bound;  ///< of a bucket; empty: no bucket
    std::string value;
};

void append_sample(const Sample& sample, std::string& out) {
    out += sample.name;
    out += sample.suffix;
    char between = '{';
    for (const auto& [name, value] : sample.labels) {
        out += std::exchange(between, ',');
        append_label(name, value, out);
    }
    if (!sample.bound.empty()) {
        out += std::exchange(between, ',');
        append_label("le", sample.bound, out);
    }
    if (between == ',') {
        out += '}';
    }
    fmt::format_to(std::back_inserter(out), " {}\n", sample.value);
}

void append_histogram(
    std::string_view name,
    const Labels& labels,
    const HistogramSnapshot& histogram,
    std::string& out
) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        below += histogram.counts[i];
        const std::string bound =
            i < histogram.bounds.size() ? number(histogram.bounds[i]) : std::string("+Inf");
        append_sample({name, "_bucket", labels, bound, std::to_string(below)}, out);
    }
    append_sample({name, "_sum", labels, "", number(histogram.sum)}, out);
    append_sample({name, "_count", labels, "", std::to_string(below)}, out);
}

void append_family(const FamilySnapshot& family, std::string& out) {
    out += fmt::format("# HELP {} ", family.name);
    append_escaped(family.help, Quoted::kNo, out);
    out += fmt::format("\n# TYPE {} {}\n", family.name, kind_name(family.kind));
    for (const SeriesSnapshot& series : family.series) {
        if (const auto* value = std::get_if<double>(&series.value)) {
            append_sample({family.name, "", series.labels, "", number(*value)}, out);
        } else {
            const auto& histogram = std::get<HistogramSnapshot>(series.value);
            append_histogram(family.name, series.labels, histogram, out);
        }
    }
}

}  // namespace

std::string to_prometheus(std::span<const FamilySnapshot> families) {
    std::string out;
    for (const FamilySnapshot& family : families) {
        if (!family.series.empty()) {
            append_family(family, out);
        }
    }
    return out;
}

}  // namespace nexa::monitoring
