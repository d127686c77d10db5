// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

// How many workers a pool needs, for people and for who starts them. Times are RFC 3339 text.

struct DrainedWorker {
    static constexpr std::string_view kName = "DrainedWorker";
    std::string worker_id;
    std::string name;

    bool operator==(const DrainedWorker&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &DrainedWorker::worker_id, "It ends by itself").required(),
            field("name", &DrainedWorker::name, "As it was started with").required(),
        };
    }
};

/// What a pool's command reads, and its webhook is sent.
struct ScalingRequest {
    static constexpr std::string_view kName = "ScalingRequest";
    std::string pool;
    int wanted = 0;
    int workers = 0;
    int starting = 0;
    int start = 0;
    std::vector<DrainedWorker> drained;
    std::string requested_at;

    static constexpr auto fields() {
        return std::tuple{
            field("pool", &ScalingRequest::pool, "To register in").required(),
            field("wanted", &ScalingRequest::wanted, "Workers there should be").required(),
            field("workers", &ScalingRequest::workers, "Workers there are, without drained ones")
                .required(),
            field("starting", &ScalingRequest::starting, "Asked for before and not there yet")
                .required(),
            field("start", &ScalingRequest::start, "Workers to start now").required(),
            field("drained", &ScalingRequest::drained, "Workers that end now").required(),
            field("requested_at", &ScalingRequest::requested_at, "When").required(),
        };
    }
};

struct ScalingCallView {
    static constexpr std::string_view kName = "ScalingCallView";
    std::string at;
    int start = 0;
    int drained = 0;
    std::string error;

    static constexpr auto fields() {
        return std::tuple{
            field("at", &ScalingCallView::at, "When").required(),
            field("start", &ScalingCallView::start, "Workers it was to start").required(),
            field("drained", &ScalingCallView::drained, "Workers it was told end").required(),
            field("error", &ScalingCallView::error, "Why it failed; empty if it did not")
                .required(),
        };
    }
};

struct ScalingPoolView {
    static constexpr std::string_view kName = "ScalingPoolView";
    std::string pool;
    int min_workers = 0;
    int max_workers = 0;
    int wanted = 0;
    int workers = 0;
    int idle = 0;
    int starting = 0;
    std::int64_t waiting_jobs = 0;
    std::int64_t running_jobs = 0;
    std::string updated_at;
    std::optional<ScalingCallView> last_call;

    static constexpr auto fields() {
        return std::tuple{
            field("pool", &ScalingPoolView::pool, "The pool").required(),
            field("min_workers", &ScalingPoolView::min_workers, "As configured").required(),
            field("max_workers", &ScalingPoolView::max_workers, "As configured").required(),
            field("wanted", &ScalingPoolView::wanted, "Workers there should be").required(),
            field("workers", &ScalingPoolView::workers, "Workers there are, without drained ones")
                .required(),
            field("idle", &ScalingPoolView::idle, "Of them, those without a job").required(),
            field("starting", &ScalingPoolView::starting, "Asked for and not there yet").required(),
            field(
                "waiting_jobs",
                &ScalingPoolView::waiting_jobs,
                "Ready jobs that such workers could take now"
            )
                .required(),
            field("running_jobs", &ScalingPoolView::running_jobs, "What its workers hold")
                .required(),
            field("updated_at", &ScalingPoolView::updated_at, "When this was found").required(),
            field("last_call", &ScalingPoolView::last_call, "Of its command or webhook")
                .null_when_empty(),
        };
    }
};

struct ScalingList {
    static constexpr std::string_view kName = "ScalingList";
    std::string object = "list";
    std::vector<ScalingPoolView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &ScalingList::object, "list").required(),
            field("data", &ScalingList::data, "By pool").required(),
        };
    }
};

}  // namespace nexa::protocol
