// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/mutex.h"

namespace nexa {

/// A number that only grows. Thread-safe, lock-free.
class Counter {
public:
    /// `amount` is finite and not negative.
    void add(double amount = 1);
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// A number that goes up and down. Thread-safe, lock-free.
class Gauge {
public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    void add(double change) { value_.fetch_add(change, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// One observation that stands for its bucket, with the trace it came from.
struct Exemplar {
    double value = 0;
    Timestamp time;
    std::string trace_id;
};

struct HistogramSnapshot {
    std::vector<double> bounds;                      ///< as given, without the last, +Inf
    std::vector<std::uint64_t> counts;               ///< per bucket, one more than bounds
    std::vector<std::optional<Exemplar>> exemplars;  ///< the latest per bucket
    std::uint64_t count = 0;                         ///< the sum of `counts`
    double sum = 0;
};

/// How often values fell at or below each bound and above the one before. Thread-safe; observing
/// is lock-free, unless with an exemplar.
class Histogram {
public:
    /// `bounds` rise strictly and are finite; at least one, at most 200.
    explicit Histogram(std::span<const double> bounds);

    /// NaN is not counted.
    void observe(double value);
    void observe(Exemplar exemplar) NEXA_EXCLUDES(mutex_);

    /// `sum` may lack, or be ahead by, an observation that is being made.
    HistogramSnapshot snapshot() const NEXA_EXCLUDES(mutex_);
    const std::vector<double>& bounds() const { return bounds_; }

private:
    std::size_t bucket_of(double value) const;

    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
    mutable Mutex mutex_;
    std::vector<std::optional<Exemplar>> exemplars_ NEXA_GUARDED_BY(mutex_);
};

/// Bounds for latencies in seconds: 1 ms to 60 s.
inline constexpr std::array kLatencyBounds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0
};

enum class MetricKind : std::uint8_t { kCounter, kGauge, kHistogram };

/// Name and value of each, in any order.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// What a metric is called and means. Names begin with nexa_ or process_, are lower case, carry
/// the base unit (_seconds, _bytes), and end in _total exactly for counters.
struct MetricInfo {
    std::string_view name;
    std::string_view help;
};

/// One metric with one set of label values.
struct SeriesSnapshot {
    Labels labels;                                  ///< by name
    std::variant<double, HistogramSnapshot> value;  ///< a histogram's is the second
};
struct FamilySnapshot {
    std::string name;
    std::string help;
    MetricKind kind = MetricKind::kCounter;
    std::vector<SeriesSnapshot> series;  ///< by label values
};

/// All metrics of a program; passed to whatever counts. Exporters read snapshot(). Thread-safe.
///
/// Asking for an instrument takes a lock: ask once, keep the reference, which is good as long as
/// the registry. Asking again for the same name and labels gives the same instrument. Another kind,
/// help, set of label names or bounds under a known name is a bug, as is a name that breaks the
/// rules: the process aborts.
///
/// Label values may come from outside: after `series_max` of one name, further ones share a series
/// whose every label value is "other".
class MetricRegistry {
public:
    explicit MetricRegistry(std::size_t series_max = 1000) : series_max_(series_max) {}
    MetricRegistry(const MetricRegistry&) = delete;
    MetricRegistry& operator=(const MetricRegistry&) = delete;

    Counter& counter(const MetricInfo& info, Labels labels = {});
    Gauge& gauge(const MetricInfo& info, Labels labels = {});
    Histogram& histogram(
        const MetricInfo& info, std::span<const double> bounds, Labels labels = {}
    );

    /// Every instrument's value now, by name.
    std::vector<FamilySnapshot> snapshot() const;

private:
    using Instrument =
        std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
    struct Family {
        MetricKind kind;
        std::string help;
        std::vector<std::string> label_names;
        std::map<Labels, Instrument> series;
    };
    /// The instrument for these labels, or the empty place for a new one.
    Instrument& place_of(const MetricInfo& info, MetricKind kind, Labels labels)
        NEXA_REQUIRES(mutex_);

    const std::size_t series_max_;
    mutable Mutex mutex_;
    std::map<std::string, Family, std::less<>> families_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa
