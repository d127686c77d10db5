// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "protocol/worker_messages.h"

namespace nexa::protocol {

struct WorkerView {
    static constexpr std::string_view kName = "WorkerView";
    std::string worker_id;
    std::string name;
    std::string pool;
    std::string status;
    std::string liveness;
    std::vector<HealthProblem> problems;
    HardwareProfile profile;
    std::vector<std::string> jobs;
    std::string registered_at;
    std::string last_seen_at;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &WorkerView::worker_id, "The worker").required(),
            field("name", &WorkerView::name, "For people").required(),
            field("pool", &WorkerView::pool, "Jobs of which pool it takes").required(),
            field("status", &WorkerView::status, "approved, pending, cordoned or revoked")
                .required(),
            field("liveness", &WorkerView::liveness, "connected, unhealthy, draining or lost")
                .required(),
            field(
                "problems", &WorkerView::problems, "Why it is unhealthy and gets no job; else empty"
            )
                .required(),
            field("profile", &WorkerView::profile, "Hardware as it claims").required(),
            field(
                "jobs",
                &WorkerView::jobs,
                "What it holds now; of other projects only with fleet:write"
            )
                .required(),
            field("registered_at", &WorkerView::registered_at, "When").required(),
            field("last_seen_at", &WorkerView::last_seen_at, "Last heartbeat, poll or report")
                .required(),
        };
    }
};

struct WorkerList {
    static constexpr std::string_view kName = "WorkerList";
    std::string object = "list";
    std::vector<WorkerView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &WorkerList::object, "list").required(),
            field("data", &WorkerList::data, "By id").required(),
        };
    }
};

}  // namespace nexa::protocol
