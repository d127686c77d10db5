// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/fleet_scaler.h"
#include "protocol/scaling_views.h"

namespace nexa::api {

/// /api/fleet: what concerns all workers together.
class FleetEndpoints {
public:
    explicit FleetEndpoints(orchestration::FleetScaler& scaler) : scaler_(scaler) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::ScalingList> scaling(net::Call call);

    orchestration::FleetScaler& scaler_;
};

}  // namespace nexa::api
