// SPDX-License-Identifier: Apache-2.0
#include "core/metrics.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace nexa {

namespace {

constexpr std::size_t kBoundsMax = 200;
constexpr std::string_view kOther = "other";
/// Exporters put these behind a histogram's name.
constexpr std::array<std::string_view, 3> kTakenSuffixes{"_bucket", "_count", "_sum"};

bool is_snake_case(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
           std::ranges::all_of(name, fits);
}

bool is_metric_name(std::string_view name, MetricKind kind) {
    const bool ours = name.starts_with("nexa_") || name.starts_with("process_");
    const bool counts = name.ends_with("_total");
    const bool taken = std::ranges::any_of(kTakenSuffixes, [name](std::string_view suffix) {
        return name.ends_with(suffix);
    });
    return is_snake_case(name) && ours && !taken && counts == (kind == MetricKind::kCounter);
}

/// "le" and "quantile" are the exporters' own.
bool is_label_name(std::string_view name) {
    return is_snake_case(name) && name != "le" && name != "quantile";
}

std::vector<std::string> names_of(const Labels& labels) {
    std::vector<std::string> names;
    for (const auto& [name, value] : labels) {
        names.push_back(name);
    }
    return names;
}

}  // namespace

void Counter::add(double amount) {
    NEXA_CHECK(amount >= 0 && std::isfinite(amount));
    value_.fetch_add(amount, std::memory_order_relaxed);
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()),
      counts_(bounds.size() + 1),
      exemplars_(bounds.size() + 1) {
    NEXA_CHECK(!bounds_.empty() && bounds_.size() <= kBoundsMax);
    NEXA_CHECK(std::ranges::all_of(bounds_, [](double bound) { return std::isfinite(bound); }));
    NEXA_CHECK(std::ranges::adjacent_find(bounds_, std::greater_equal()) == bounds_.end());
}

std::size_t Histogram::bucket_of(double value) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
}

void Histogram::observe(double value) {
    if (std::isnan(value)) {
        return;
    }
    counts_[bucket_of(value)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::observe(Exemplar exemplar) {
    if (std::isnan(exemplar.value)) {
        return;
    }
    observe(exemplar.value);
    const std::size_t bucket = bucket_of(exemplar.value);
    const Lock lock(mutex_);
    exemplars_[bucket] = std::move(exemplar);
}

HistogramSnapshot Histogram::snapshot() const {
    HistogramSnapshot result;
    result.bounds = bounds_;
    result.sum = sum_.load(std::memory_order_relaxed);
    for (const auto& count : counts_) {
        result.counts.push_back(count.load(std::memory_order_relaxed));
        result.count += result.counts.back();
    }
    const Lock lock(mutex_);
    result.exemplars = exemplars_;
    return result;
}

MetricRegistry::Instrument& MetricRegistry::place_of(
    const MetricInfo& info, MetricKind kind, Labels labels
) {
    std::ranges::sort(labels);
    auto names = names_of(labels);
    auto found = families_.find(info.name);
    if (found == families_.end()) {
        NEXA_CHECK(is_metric_name(info.name, kind));
        NEXA_CHECK(std::ranges::all_of(names, is_label_name));
        NEXA_CHECK(std::ranges::adjacent_find(names) == names.end());
        Family family{kind, std::string(info.help), std::move(names), {}};
        found = families_.emplace(std::string(info.name), std::move(family)).first;
    } else {
        NEXA_CHECK(found->second.kind == kind);
        NEXA_CHECK(found->second.help == info.help);
        NEXA_CHECK(found->second.label_names == names);
    }
    auto& series = found->second.series;
    if (series.size() >= series_max_ && !series.contains(labels)) {
        for (auto& [name, value] : labels) {
            value = kOther;
        }
    }
    return series[std::move(labels)];
}

Counter& MetricRegistry::counter(const MetricInfo& info, Labels labels) {
    const Lock lock(mutex_);
    Instrument& place = place_of(info, MetricKind::kCounter, std::move(labels));
    auto& counter = std::get<std::unique_ptr<Counter>>(place);
    if (!counter) {
        counter = std::make_unique<Counter>();
    }
    return *counter;
}

Gauge& MetricRegistry::gauge(const MetricInfo& info, Labels labels) {
    const Lock lock(mutex_);
    Instrument& place = place_of(info, MetricKind::kGauge, std::move(labels));
    if (!std::holds_alternative<std::unique_ptr<Gauge>>(place)) {
        place = std::make_unique<Gauge>();
    }
    return *std::get<std::unique_ptr<Gauge>>(place);
}

Histogram& MetricRegistry::histogram(
    const MetricInfo& info, std::span<const double> bounds, Labels labels
) {
    const Lock lock(mutex_);
    Instrument& place = place_of(info, MetricKind::kHistogram, std::move(labels));
    if (!std::holds_alternative<std::unique_ptr<Histogram>>(place)) {
        place = std::make_unique<Histogram>(bounds);
    }
    auto& histogram = *std::get<std::unique_ptr<Histogram>>(place);
    NEXA_CHECK(std::ranges::equal(histogram.bounds(), bounds));
    return histogram;
}

std::vector<FamilySnapshot> MetricRegistry::snapshot() const {
    const auto read = [](const Instrument& instrument) -> decltype(SeriesSnapshot::value) {
        if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&instrument)) {
            return (*counter)->value();
        }
        if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&instrument)) {
            return (*gauge)->value();
        }
        return std::get<std::unique_ptr<Histogram>>(instrument)->snapshot();
    };
    std::vector<FamilySnapshot> result;
    const Lock lock(mutex_);
    for (const auto& [name, family] : families_) {
        FamilySnapshot& snapshot = result.emplace_back(name, family.help, family.kind);
        for (const auto& [labels, instrument] : family.series) {
            snapshot.series.push_back({labels, read(instrument)});
        }
    }
    return result;
}

}  // namespace nexa
