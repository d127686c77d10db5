// SPDX-License-Identifier: Apache-2.0
#include "orchestration/deployment_service.h"

#include <algorithm>

namespace nexa::orchestration {

namespace {

using protocol::DeploymentView;

const GatewayState* find_state(std::span<const GatewayState> gateways, std::string_view state) {
    const auto found = std::ranges::find(gateways, state, &GatewayState::state);
    return found == gateways.end() ? nullptr : &*found;
}

Result<DeploymentView> view_now(db::Tx& tx, const Deployment& deployment) {
    TRY(const auto gateways, deployment_store::gateway_states(tx, {deployment.deployment_id}));
    return to_view(deployment, gateways);
}

/// The part of `states` (sorted) that is about one deployment.
std::span<const GatewayState> states_of(
    std::span<const GatewayState> states, const std::string& deployment_id
) {
    const auto range =
        std::ranges::equal_range(states, deployment_id, {}, &GatewayState::deployment_id);
    return {range.begin(), range.end()};
}

}  // namespace

DeploymentView to_view(const Deployment& deployment, std::span<const GatewayState> gateways) {
    DeploymentView view{
        .deployment_id = deployment.deployment_id,
        .name = deployment.name,
        .region = deployment.region,
        .state = deployment.state,
        .message = deployment.message,
        .job_id = deployment.job_id,
        .created_at = to_rfc3339(deployment.created_at),
        .updated_at = to_rfc3339(deployment.updated_at),
    };
    if (!deployment.inference_url.empty()) {
        view.inference_url = deployment.inference_url;
    }
    for (const GatewayState& gateway : gateways) {
        view.gateways.push_back({
            .gateway_id = gateway.gateway_id,
            .url = gateway.url,
            .state = gateway.state,
            .message = gateway.message,
            .last_seen_at = to_rfc3339(gateway.last_seen_at),
        });
    }
    if (deployment.state != "ready") {
        return view;
    }
    if (const GatewayState* ready = find_state(gateways, "ready")) {
        view.inference_url = ready->url + "/v1";  // the gateway may have moved
    } else if (find_state(gateways, "loading") != nullptr || gateways.empty()) {
        view.state = "loading";
    } else {
        view.state = "failed";
        view.message = gateways.front().message;
    }
    return view;
}

net::Task<DeploymentView> DeploymentService::get(
    std::string deployment_id, accounts::Principal principal
) {
    auto look_up = [deployment_id = std::move(deployment_id),
                    tenant_id =
                        std::move(principal.project_id)](db::Tx& tx) -> Result<DeploymentView> {
        TRY(const Deployment deployment, deployment_store::get(tx, deployment_id, tenant_id));
        return view_now(tx, deployment);
    };
    co_return co_await backend_.read(std::move(look_up));
}

net::Task<DeploymentPage> DeploymentService::list(DeploymentFilter filter) {
    auto look_up = [filter = std::move(filter)](db::Tx& tx) -> Result<DeploymentPage> {
        TRY(auto deployments, deployment_store::list(tx, filter));
        DeploymentPage page;
        if (deployments.size() > static_cast<std::size_t>(filter.limit)) {
            deployments.pop_back();
            page.next_cursor = std::to_string(deployments.back().sequence);
        }
        std::vector<std::string> ids(deployments.size());
        std::ranges::transform(deployments, ids.begin(), &Deployment::deployment_id);
        TRY(const auto states, deployment_store::gateway_states(tx, ids));
        for (const Deployment& deployment : deployments) {
            const auto own = states_of(states, deployment.deployment_id);
            page.deployments.push_back(to_view(deployment, own));
        }
        return page;
    };
    co_return co_await backend_.read(std::move(look_up));
}

net::Task<DeploymentView> DeploymentService::stop(
    std::string deployment_id, accounts::Principal principal
) {
    auto apply = [deployment_id = std::move(deployment_id),
                  tenant_id =
                      std::move(principal.project_id)](db::Tx& tx) -> Result<DeploymentView> {
        TRY(const Deployment deployment, deployment_store::stop(tx, deployment_id, tenant_id));
        return view_now(tx, deployment);
    };
    co_return co_await backend_.write(std::move(apply));
}

}  // namespace nexa::orchestration
