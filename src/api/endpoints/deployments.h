// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/deployment_service.h"
#include "protocol/deployment_views.h"

namespace nexa::api {

/// /api/deployments: list, read, stop. Deploy jobs make them.
class DeploymentEndpoints {
public:
    explicit DeploymentEndpoints(orchestration::DeploymentService& deployments)
        : deployments_(deployments) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::DeploymentList> list(net::Call call);
    net::Task<protocol::DeploymentView> get(net::Call call);
    net::Task<protocol::DeploymentView> stop(net::Call call);

    orchestration::DeploymentService& deployments_;
};

}  // namespace nexa::api
