// SPDX-License-Identifier: Apache-2.0
#include "monitoring/prometheus.h"

#include <limits>

#include <gtest/gtest.h>

namespace nexa::monitoring {
namespace {

std::string exported(const MetricRegistry& registry) {
    return to_prometheus(registry.snapshot());
}

TEST(Prometheus, CountersAndGaugesAreALineEachUnderTheirHelpAndKind) {
    MetricRegistry registry;
    registry.counter({"nexa_jobs_total", "Jobs."}, {{"type", "train"}}).add(3);
    registry.counter({"nexa_jobs_total", "Jobs."}, {{"type", "audit"}}).add(0.5);
    registry.gauge({"nexa_depth", "Depth."}).set(-2);
    EXPECT_EQ(
        exported(registry),
        "# HELP nexa_depth Depth.\n"
        "# TYPE nexa_depth gauge\n"
        "nexa_depth -2\n"
        "# HELP nexa_jobs_total Jobs.\n"
        "# TYPE nexa_jobs_total counter\n"
        "nexa_jobs_total{type=\"audit\"} 0.5\n"
        "nexa_jobs_total{type=\"train\"} 3\n"
    );
}

TEST(Prometheus, BucketsAddUpAndEndWithInfinity) {
    MetricRegistry registry;
    constexpr std::array kBounds{0.1, 1.0};
    Histogram& histogram =
        registry.histogram({"nexa_wait_seconds", "Wait."}, kBounds, {{"pool", "a"}});
    for (const double value : {0.05, 0.1, 0.5, 7.0}) {
        histogram.observe(value);
    }
    EXPECT_EQ(
        exported(registry),
        "# HELP nexa_wait_seconds Wait.\n"
        "# TYPE nexa_wait_seconds histogram\n"
        "nexa_wait_seconds_bucket{pool=\"a\",le=\"0.1\"} 2\n"
        "nexa_wait_seconds_bucket{pool=\"a\",le=\"1\"} 3\n"
        "nexa_wait_seconds_bucket{pool=\"a\",le=\"+Inf\"} 4\n"
        "nexa_wait_seconds_sum{pool=\"a\"} 7.65\n"
        "nexa_wait_seconds_count{pool=\"a\"} 4\n"
    );
}

TEST(Prometheus, WhatWouldBreakALineIsEscaped) {
    MetricRegistry registry;
    registry.counter({"nexa_a_total", "One \\ two\n\"three\""}, {{"name", "a\"b\\c\nd"}}).add();
    EXPECT_EQ(
        exported(registry),
        "# HELP nexa_a_total One \\\\ two\\n\"three\"\n"
        "# TYPE nexa_a_total counter\n"
        "nexa_a_total{name=\"a\\\"b\\\\c\\nd\"} 1\n"
    );
}

TEST(Prometheus, BytesThatAreNoUtf8BecomeTheReplacementCharacter) {
    MetricRegistry registry;
    registry.counter({"nexa_a_total", "A."}, {{"name", "caf\xE9 \xC3\xA9"}}).add();
    EXPECT_NE(exported(registry).find("{name=\"caf\xEF\xBF\xBD \xC3\xA9\"}"), std::string::npos);
}

TEST(Prometheus, WhatIsNoNumberHasTheFormatsOwnWords) {
    MetricRegistry registry;
    Gauge& gauge = registry.gauge({"nexa_a", "A."});
    const auto shown = [&](double value) {
        gauge.set(value);
        const std::string text = exported(registry);
        return text.substr(text.rfind(' ') + 1);
    };
    EXPECT_EQ(shown(std::numeric_limits<double>::infinity()), "+Inf\n");
    EXPECT_EQ(shown(-std::numeric_limits<double>::infinity()), "-Inf\n");
    EXPECT_EQ(shown(std::numeric_limits<double>::quiet_NaN()), "NaN\n");
    EXPECT_EQ(shown(1e300), "1e+300\n");
    EXPECT_EQ(shown(0.1), "0.1\n");
}

TEST(Prometheus, AnEmptyRegistryIsAnEmptyText) {
    const MetricRegistry registry;
    EXPECT_EQ(exported(registry), "");
}

}  // namespace
}  // namespace nexa::monitoring
