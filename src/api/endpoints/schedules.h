// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/clock.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/schedule_service.h"

namespace nexa::api {

/// /api/schedules: workflows that start by themselves.
class ScheduleEndpoints {
public:
    ScheduleEndpoints(orchestration::ScheduleService& schedules, const Clock& clock)
        : schedules_(schedules), clock_(clock) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::ScheduleView> create(net::Call call, protocol::ScheduleSpec spec);
    net::Task<protocol::ScheduleList> list(net::Call call);
    net::Task<protocol::ScheduleView> get(net::Call call);
    net::Task<protocol::ScheduleView> change(net::Call call, protocol::ScheduleChange change);
    net::Task<net::Response> remove(net::Request request);
    net::Task<net::Response> run(net::Request request);

    orchestration::ScheduleService& schedules_;
    const Clock& clock_;
};

}  // namespace nexa::api
