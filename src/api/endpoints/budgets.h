// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/backend.h"
#include "protocol/billing_views.h"

namespace nexa::api {

/// /api/billing/budgets: what a project and each of its keys may spend in a month.
class BudgetEndpoints {
public:
    explicit BudgetEndpoints(orchestration::Backend backend) : backend_(backend) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::BudgetList> list(net::Call call);
    net::Task<protocol::BudgetList> put(net::Call call, protocol::BudgetChange change);
    net::Task<void> remove(net::Call call);

    orchestration::Backend backend_;
};

}  // namespace nexa::api
