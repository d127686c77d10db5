// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/deployment_store.h"
#include "protocol/deployment_views.h"

namespace nexa::orchestration {

struct DeploymentPage {
    std::vector<protocol::DeploymentView> deployments;
    std::optional<std::string> next_cursor;
};

/// A deployment as people see it. One that went live is ready while a gateway says so, failed while
/// all that have it say so, else loading: its gateways are away, or just starting. `gateways` are
/// those heard of lately.
protocol::DeploymentView to_view(
    const Deployment& deployment, std::span<const GatewayState> gateways
);

/// What users do with deployments; jobs make them. Thread-safe; collaborators outlive it.
class DeploymentService {
public:
    explicit DeploymentService(Backend backend) : backend_(backend) {}

    /// Errors: kNotFound, also for another project's.
    net::Task<protocol::DeploymentView> get(
        std::string deployment_id, accounts::Principal principal
    );
    net::Task<DeploymentPage> list(DeploymentFilter filter);
    /// Once it returns, gateways are told to let go of it. Repeatable: one that failed or was
    /// stopped stays so. Errors: kNotFound; kConflict while its job deploys it.
    net::Task<protocol::DeploymentView> stop(
        std::string deployment_id, accounts::Principal principal
    );

private:
    Backend backend_;
};

}  // namespace nexa::orchestration
