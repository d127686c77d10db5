// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "billing/rate_card.h"
#include "core/clock.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/backend.h"
#include "protocol/billing_views.h"
#include "protocol/system_views.h"

namespace nexa::api {

/// /api/billing: what was used and what it costs, as a sum, over time, and by job.
class BillingEndpoints {
public:
    struct Collaborators {
        orchestration::Backend backend;
        const Clock& clock;
        const billing::RateCard& rate_card;
    };
    explicit BillingEndpoints(Collaborators with) : with_(with) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::BillingSummary> summary(net::Call call);
    net::Task<protocol::BillingTrends> trends(net::Call call);
    net::Task<protocol::JobCostList> jobs(net::Call call);
    net::Task<protocol::JobCost> job(net::Call call);

    Collaborators with_;
};

}  // namespace nexa::api
