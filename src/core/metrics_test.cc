// SPDX-License-Identifier: Apache-2.0
#include "core/metrics.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/manual_clock.h"

namespace nexa {
namespace {

using ::testing::ElementsAre;

constexpr std::array kBounds{1.0, 2.0, 4.0};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const HistogramSnapshot& histogram_of(const SeriesSnapshot& series) {
    return std::get<HistogramSnapshot>(series.value);
}

TEST(Counter, AddsUp) {
    Counter counter;
    EXPECT_EQ(counter.value(), 0);
    counter.add();
    counter.add(2.5);
    counter.add(0);
    EXPECT_EQ(counter.value(), 3.5);
}

TEST(Gauge, GoesUpAndDown) {
    Gauge gauge;
    gauge.set(5);
    gauge.add(-7);
    EXPECT_EQ(gauge.value(), -2);
}

TEST(Histogram, CountsABoundInTheBucketBelowIt) {
    Histogram histogram(kBounds);
    for (const double value : {-3.0, 1.0, 1.0001, 2.0, 4.0, 4.0001, kInfinity}) {
        histogram.observe(value);
    }
    histogram.observe(std::nan(""));
    const HistogramSnapshot snapshot = histogram.snapshot();
    EXPECT_THAT(snapshot.bounds, ElementsAre(1.0, 2.0, 4.0));
    EXPECT_THAT(snapshot.counts, ElementsAre(2, 2, 1, 2));
    EXPECT_EQ(snapshot.count, 7U);
    EXPECT_EQ(snapshot.sum, kInfinity);
}

TEST(Histogram, KeepsTheLatestExemplarOfEachBucket) {
    Histogram histogram(kBounds);
    const Timestamp time = fakes::ManualClock::kStart;
    histogram.observe({.value = 1.5, .time = time, .trace_id = "a"});
    histogram.observe({.value = 1.7, .time = time, .trace_id = "b"});
    histogram.observe({.value = 9, .time = time, .trace_id = "c"});
    histogram.observe({.value = std::nan(""), .time = time, .trace_id = "d"});
    const HistogramSnapshot snapshot = histogram.snapshot();
    EXPECT_THAT(snapshot.counts, ElementsAre(0, 2, 0, 1));
    EXPECT_FALSE(snapshot.exemplars.at(0));
    EXPECT_EQ(snapshot.exemplars.at(1)->trace_id, "b");
    EXPECT_EQ(snapshot.exemplars.at(1)->value, 1.7);
    EXPECT_EQ(snapshot.exemplars.at(3)->trace_id, "c");
    EXPECT_NEAR(snapshot.sum, 12.2, 1e-12);
}

TEST(MetricRegistry, GivesTheSameInstrumentForTheSameNameAndLabelsInAnyOrder) {
    MetricRegistry registry;
    const MetricInfo info{"nexa_jobs_finished_total", "Jobs that ended"};
    Counter& one = registry.counter(info, {{"kind", "train"}, {"result", "ok"}});
    Counter& same = registry.counter(info, {{"result", "ok"}, {"kind", "train"}});
    Counter& other = registry.counter(info, {{"result", "ok"}, {"kind", "audit"}});
    EXPECT_EQ(&one, &same);
    EXPECT_NE(&one, &other);
    const MetricInfo gauge{"nexa_workers", "Workers"};
    EXPECT_EQ(&registry.gauge(gauge), &registry.gauge(gauge));
    const MetricInfo latency{"nexa_latency_seconds", "Latency"};
    EXPECT_EQ(
        &registry.histogram(latency, kLatencyBounds), &registry.histogram(latency, kLatencyBounds)
    );
}

TEST(MetricRegistry, SnapshotHoldsEverythingInOrder) {
    MetricRegistry registry;
    registry.histogram({"nexa_wait_seconds", "Wait"}, kBounds).observe(3);
    registry.gauge({"nexa_workers", "Workers"}, {{"state", "idle"}}).set(7);
    registry.counter({"nexa_jobs_total", "Jobs"}, {{"kind", "train"}}).add(2);
    registry.counter({"nexa_jobs_total", "Jobs"}, {{"kind", "audit"}}).add(1);
    const auto families = registry.snapshot();
    ASSERT_EQ(families.size(), 3U);
    EXPECT_EQ(families[0].name, "nexa_jobs_total");
    EXPECT_EQ(families[0].help, "Jobs");
    EXPECT_EQ(families[0].kind, MetricKind::kCounter);
    ASSERT_EQ(families[0].series.size(), 2U);
    EXPECT_EQ(families[0].series[0].labels, (Labels{{"kind", "audit"}}));
    EXPECT_EQ(std::get<double>(families[0].series[0].value), 1);
    EXPECT_EQ(std::get<double>(families[0].series[1].value), 2);
    EXPECT_EQ(families[1].kind, MetricKind::kHistogram);
    EXPECT_THAT(histogram_of(families[1].series[0]).counts, ElementsAre(0, 0, 1, 0));
    EXPECT_EQ(families[2].kind, MetricKind::kGauge);
    EXPECT_EQ(std::get<double>(families[2].series[0].value), 7);
    EXPECT_TRUE(MetricRegistry().snapshot().empty());
}

TEST(MetricRegistry, LabelValuesBeyondTheLimitShareOneSeries) {
    MetricRegistry registry(2);
    const MetricInfo info{"nexa_tokens_total", "Tokens"};
    const auto model = [&](const char* name) -> Counter& {
        return registry.counter(info, {{"model", name}, {"type", "in"}});
    };
    model("a").add(1);
    model("b").add(1);
    model("c").add(1);
    model("d").add(1);
    model("a").add(1);
    const auto families = registry.snapshot();
    ASSERT_EQ(families.at(0).series.size(), 3U);
    EXPECT_EQ(std::get<double>(families[0].series[0].value), 2);
    EXPECT_EQ(families[0].series[2].labels, (Labels{{"model", "other"}, {"type", "other"}}));
    EXPECT_EQ(std::get<double>(families[0].series[2].value), 2);
}

TEST(MetricRegistry, CountsExactlyFromManyThreadsWhileOthersRead) {
    MetricRegistry registry;
    constexpr int kEach = 10'000;
    {
        std::vector<std::jthread> threads;
        for (int which = 0; which < 4; ++which) {
            threads.emplace_back([&registry, which] {
                Counter& counter = registry.counter({"nexa_x_total", "X"});
                Gauge& gauge = registry.gauge({"nexa_g", "G"}, {{"n", std::to_string(which % 2)}});
                Histogram& histogram = registry.histogram({"nexa_h_seconds", "H"}, kBounds);
                for (int i = 0; i < kEach; ++i) {
                    counter.add();
                    gauge.add(1);
                    histogram.observe(i % 5);
                }
                histogram.observe({.value = 1, .time = {}, .trace_id = "t"});
            });
        }
        for (int i = 0; i < 100; ++i) {
            for (const FamilySnapshot& family : registry.snapshot()) {
                if (family.kind == MetricKind::kHistogram) {
                    const auto& counts = histogram_of(family.series[0]).counts;
                    EXPECT_EQ(
                        std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}),
                        histogram_of(family.series[0]).count
                    );
                }
            }
        }
    }
    const auto families = registry.snapshot();
    EXPECT_EQ(std::get<double>(families.at(2).series[0].value), 4 * kEach);
    EXPECT_EQ(std::get<double>(families.at(0).series[1].value), 2 * kEach);
    const auto& histogram = histogram_of(families.at(1).series[0]);
    EXPECT_EQ(histogram.count, 4U * (kEach + 1));
    EXPECT_EQ(histogram.sum, 4.0 * (2 * kEach + 1));
}

TEST(MetricsDeathTest, ACounterThatShrinksIsABug) {
    Counter counter;
    EXPECT_DEATH(counter.add(-1), "amount >= 0");
    EXPECT_DEATH(counter.add(std::nan("")), "amount >= 0");
    EXPECT_DEATH(counter.add(kInfinity), "amount >= 0");
}

TEST(MetricsDeathTest, NamesThatBreakTheRulesAreBugs) {
    MetricRegistry registry;
    for (const char* name :
         {"",
          "nexa_jobs",
          "jobs_total",
          "nexa_Jobs_total",
          "nexa_jöbs_total",
          "nexa-jobs_total",
          "_nexa_total"}) {
        EXPECT_DEATH(registry.counter({name, "h"}), "is_metric_name") << name;
    }
    for (const char* name :
         {"nexa_jobs_total", "nexa_jobs_count", "nexa_jobs_sum", "nexa_jobs_bucket"}) {
        EXPECT_DEATH(registry.gauge({name, "h"}), "is_metric_name") << name;
    }
    for (const char* label : {"", "Kind", "le", "quantile", "a-b", "__x", "1a"}) {
        EXPECT_DEATH(registry.gauge({"nexa_jobs", "h"}, {{label, "v"}}), "is_label_name") << label;
    }
    EXPECT_DEATH(registry.gauge({"nexa_jobs", "h"}, {{"a", "1"}, {"a", "2"}}), "adjacent_find");
}

TEST(MetricsDeathTest, OneNameWithTwoMeaningsIsABug) {
    MetricRegistry registry;
    registry.gauge({"nexa_jobs", "h"}, {{"a", "1"}});
    EXPECT_DEATH(registry.gauge({"nexa_jobs", "other"}, {{"a", "1"}}), "help");
    EXPECT_DEATH(registry.gauge({"nexa_jobs", "h"}, {{"b", "1"}}), "label_names");
    EXPECT_DEATH(registry.histogram({"nexa_jobs", "h"}, kBounds, {{"a", "1"}}), "kind");
    registry.histogram({"nexa_s", "h"}, kBounds);
    EXPECT_DEATH(registry.histogram({"nexa_s", "h"}, kLatencyBounds), "bounds");
}

TEST(MetricsDeathTest, BoundsThatDoNotRiseAreABug) {
    EXPECT_DEATH(Histogram({}), "empty");
    EXPECT_DEATH(Histogram(std::array{1.0, 1.0}), "adjacent_find");
    EXPECT_DEATH(Histogram(std::array{2.0, 1.0}), "adjacent_find");
    EXPECT_DEATH(Histogram(std::array{1.0, kInfinity}), "isfinite");
}

}  // namespace
}  // namespace nexa
