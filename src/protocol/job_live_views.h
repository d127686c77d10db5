// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

// What is seen of a job's log and numbers without taking them whole.

struct LogMatchView {
    static constexpr std::string_view kName = "LogMatchView";
    std::int64_t offset = 0;
    std::string text;

    static constexpr auto fields() {
        return std::tuple{
            field("offset", &LogMatchView::offset, "Of the line's first byte").required(),
            field("text", &LogMatchView::text, "The line, at most 4096 bytes of it").required(),
        };
    }
};

struct LogSearchView {
    static constexpr std::string_view kName = "LogSearchView";
    std::string object = "list";
    std::vector<LogMatchView> data;
    bool has_more = false;
    std::int64_t next_offset = 0;
    std::int64_t bytes_total = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &LogSearchView::object, "list").required(),
            field("data", &LogSearchView::data, "Lines with the text, in order").required(),
            field(
                "has_more",
                &LogSearchView::has_more,
                "True: not all of the log was looked at; ask again with `offset`"
            )
                .required(),
            field("next_offset", &LogSearchView::next_offset, "To give as `offset`").required(),
            field("bytes_total", &LogSearchView::bytes_total, "Of the log, now").required(),
        };
    }
};

struct MetricSeriesView {
    static constexpr std::string_view kName = "MetricSeriesView";
    std::string name;
    std::vector<std::int64_t> steps;
    std::vector<std::string> timestamps;
    std::vector<double> values;
    std::int64_t points_total = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("name", &MetricSeriesView::name, "Phase and metric: \"train/loss\"").required(),
            field("steps", &MetricSeriesView::steps, "Rising").required(),
            field("timestamps", &MetricSeriesView::timestamps, "When each was told").required(),
            field("values", &MetricSeriesView::values, "One for each step").required(),
            field("points_total", &MetricSeriesView::points_total, "Before any were left out")
                .required(),
        };
    }
};

struct JobMetrics {
    static constexpr std::string_view kName = "JobMetrics";
    std::string object = "job_metrics";
    std::string job_id;
    std::string downsampling = "lttb";
    std::vector<MetricSeriesView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &JobMetrics::object, "job_metrics").required(),
            field("job_id", &JobMetrics::job_id, "The job").required(),
            field(
                "downsampling",
                &JobMetrics::downsampling,
                "lttb (largest triangle, three buckets): how points are left out"
            )
                .required(),
            field("data", &JobMetrics::data, "By name").required(),
        };
    }
};

}  // namespace nexa::protocol
