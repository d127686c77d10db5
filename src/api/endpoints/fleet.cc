// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/fleet.h"

#include "api/rows.h"

namespace nexa::api {

std::vector<net::Route> FleetEndpoints::routes() {
    // The queue of a pool holds all projects' jobs.
    constexpr Noun kNoun{
        .tag = "workers", .read_scope = "fleet:write", .write_scope = "fleet:write"
    };
    return {net::typed(
        row(kNoun,
            {net::Method::kGet,
             "/api/fleet/scaling",
             "fleet_scaling",
             "See how many workers each scaled pool has and wants"}),
        *this,
        &FleetEndpoints::scaling
    )};
}

net::Task<protocol::ScalingList> FleetEndpoints::scaling(net::Call) {
    CO_TRY(auto pools, co_await scaler_.list());
    co_return protocol::ScalingList{.data = std::move(pools)};
}

}  // namespace nexa::api
