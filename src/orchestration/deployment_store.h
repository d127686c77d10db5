// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/gateway_feed.h"

namespace nexa::orchestration {

/// A gateway reports every 15 s; one that was silent for three times that serves nobody.
inline constexpr std::chrono::microseconds kGatewayLostAfter = std::chrono::seconds{45};

/// A deployment as its job left it. How gateways stand to it are GatewayReports.
struct Deployment {
    std::int64_t sequence = 0;  ///< order of arrival; the cursor of a list
    std::string deployment_id;
    std::string tenant_id;
    std::string job_id;
    std::string name;
    std::string region;
    std::string state;  ///< loading, ready, failed or stopped
    std::string message;
    std::string inference_url;  ///< of the gateway that was ready first; empty until then
    JsonText result;            ///< the engine's, without the address
    JsonText usage;             ///< charged when a gateway serves
    Timestamp created_at;
    Timestamp updated_at;
};

struct DeploymentFilter {
    std::string tenant_id;
    std::optional<bool> live;  ///< true: loading or ready; false: failed or stopped
    std::optional<std::string> name;
    std::optional<std::string> region;
    std::optional<std::int64_t> after;
    int limit = 20;
};

/// What one gateway said last about one deployment.
struct GatewayState {
    std::string deployment_id;
    std::string gateway_id;
    std::string url;
    std::string state;  ///< loading, ready or failed
    std::string message;
    Timestamp last_seen_at;
};

/// A job of a region that waits for a gateway, and what it deployed.
struct Activating {
    JobId job_id;
    std::string deployment_id;
};

/// Deployments and gateways as rows. Every call is inside a transaction; the writing ones in the
/// writer's. What changes the list that gateways are told of raises the serial with it.
namespace deployment_store {

/// State, times and sequence are not taken from `deployment`: it is new and loading. False if a
/// live deployment of the project and region has the name.
Result<bool> add(db::Tx& tx, const Deployment& deployment);

/// Errors: kNotFound; also when it is another tenant's. `tenant_id` empty: any tenant's.
Result<Deployment> get(
    db::Tx& tx, const std::string& deployment_id, const std::optional<std::string>& tenant_id
);
/// Errors: kNotFound, if the job deployed nothing.
Result<Deployment> of_job(db::Tx& tx, const JobId& job_id);
/// Newest first, up to filter.limit + 1 rows.
Result<std::vector<Deployment>> list(db::Tx& tx, const DeploymentFilter& filter);
/// The id of the live one with this name, if there is one.
Result<std::optional<std::string>> find_live(
    db::Tx& tx, const std::string& tenant_id, const std::string& region, const std::string& name
);

/// A gateway serves it under `inference_url`.
Status set_ready(db::Tx& tx, const JobId& job_id, const std::string& inference_url);
/// What a job deployed goes before it was ready; nothing happens if there is no such thing. state:
/// failed or stopped.
Status withdraw(db::Tx& tx, const JobId& job_id, std::string_view state, std::string_view message);
/// A live one is stopped; one that failed or was stopped stays so. Errors: kNotFound, kConflict
/// while it is loading, with its job.
Result<Deployment> stop(db::Tx& tx, const std::string& deployment_id, const std::string& tenant_id);

/// Rises with every change of what gateways are told of; never 0.
Result<std::int64_t> serial(db::Tx& tx);
/// What the gateways of `region` are told of: all projects' deployments that are loading or ready,
/// and all keys that may ask.
Result<protocol::GatewaySnapshot> snapshot(db::Tx& tx, const std::string& region);

/// Takes in what a gateway says of itself and of the deployments of its region; others are left
/// out. Gateways that were not heard of for a month are forgotten.
Status keep_report(db::Tx& tx, const protocol::GatewayReport& report);
/// Of gateways heard of lately, sorted by deployment and gateway.
Result<std::vector<GatewayState>> gateway_states(
    db::Tx& tx, const std::vector<std::string>& deployment_ids
);
Result<std::vector<Activating>> activating(db::Tx& tx, const std::string& region);
/// The regions that gateways ever reported from, sorted.
Result<std::vector<std::string>> regions(db::Tx& tx);
/// How many gateways of the region were heard of lately.
Result<std::int64_t> count_gateways(db::Tx& tx, const std::string& region);

}  // namespace deployment_store

}  // namespace nexa::orchestration
