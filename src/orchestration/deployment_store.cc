// SPDX-License-Identifier: Apache-2.0
#include "orchestration/deployment_store.h"

#include "accounts/key_store.h"
#include "accounts/scopes.h"
#include "billing/usage_store.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

namespace {

constexpr std::chrono::microseconds kForgottenAfter = std::chrono::days{30};

Deployment deployment_from(const db::Row& row) {
    return {
        .sequence = row.int64("sequence"),
        .deployment_id = row.text("id"),
        .tenant_id = row.text("tenant_id"),
        .job_id = row.text("job_id"),
        .name = row.text("name"),
        .region = row.text("region"),
        .state = row.text("state"),
        .message = row.text("message"),
        .inference_url = row.text("inference_url"),
        .result = {row.text("result")},
        .usage = {row.text("usage")},
        .created_at = row.timestamp("created_at"),
        .updated_at = row.timestamp("updated_at"),
    };
}

Result<protocol::GatewayDeployment> served_from(const db::Row& row) {
    TRY(auto files, files_of({row.text("manifest")}));
    return protocol::GatewayDeployment{
        .deployment_id = row.text("id"),
        .name = row.text("name"),
        .project_id = row.text("tenant_id"),
        .root_digest = row.text("root_digest"),
        .files = std::move(files),
        .created_at = to_rfc3339(row.timestamp("created_at")),
    };
}

protocol::GatewayKey key_from(const accounts::GoodKey& key) {
    return {
        .key_id = key.key_id,
        .project_id = key.project_id,
        .sha256 = key.sha256.hex(),
        .expires_at = key.expires_at ? std::optional(to_rfc3339(*key.expires_at)) : std::nullopt,
    };
}

Status raise_serial(db::Tx& tx) {
    TRY_STATUS(tx.execute(sql::kRaiseDeploymentSerial));
    return {};
}

}  // namespace

namespace deployment_store {

Result<bool> add(db::Tx& tx, const Deployment& deployment) {
    TRY(const auto row,
        tx.query_one(
            sql::kAddDeployment,
            {
                {"deployment_id", deployment.deployment_id},
                {"tenant_id", deployment.tenant_id},
                {"job_id", deployment.job_id},
                {"name", deployment.name},
                {"region", deployment.region},
                {"result", deployment.result.text},
                {"usage", deployment.usage.text},
            }
        ));
    if (!row) {
        return false;
    }
    TRY_STATUS(raise_serial(tx));
    return true;
}

Result<Deployment> get(
    db::Tx& tx, const std::string& deployment_id, const std::optional<std::string>& tenant_id
) {
    TRY(const auto row,
        tx.query_one(
            sql::kGetDeployment,
            {
                {"deployment_id", deployment_id},
                {"tenant_id", tenant_id},
            }
        ));
    if (!row) {
        return Error::not_found("there is no deployment {}", deployment_id).at("deployment_id");
    }
    return deployment_from(*row);
}

Result<Deployment> of_job(db::Tx& tx, const JobId& job_id) {
    TRY(const auto row, tx.query_one(sql::kDeploymentOfJob, {{"job_id", job_id}}));
    if (!row) {
        return Error::not_found("job {} deployed nothing", job_id.text());
    }
    return deployment_from(*row);
}

Result<std::vector<Deployment>> list(db::Tx& tx, const DeploymentFilter& filter) {
    TRY(const auto rows,
        tx.query(
            sql::kListDeployments,
            {
                {"tenant_id", filter.tenant_id},
                {"live", filter.live},
                {"name", filter.name},
                {"region", filter.region},
                {"after", filter.after},
                {"limit", filter.limit + 1},
            }
        ));
    std::vector<Deployment> deployments;
    deployments.reserve(rows.size());
    for (const db::Row& row : rows) {
        deployments.push_back(deployment_from(row));
    }
    return deployments;
}

Result<std::optional<std::string>> find_live(
    db::Tx& tx, const std::string& tenant_id, const std::string& region, const std::string& name
) {
    TRY(const auto row,
        tx.query_one(
            sql::kFindLiveDeployment,
            {
                {"tenant_id", tenant_id},
                {"region", region},
                {"name", name},
            }
        ));
    return row ? std::optional(row->text("id")) : std::nullopt;
}

Status set_ready(db::Tx& tx, const JobId& job_id, const std::string& inference_url) {
    TRY_STATUS(tx.execute(
        sql::kDeploymentReady,
        {
            {"job_id", job_id},
            {"inference_url", inference_url},
        }
    ));
    return {};
}

Status withdraw(db::Tx& tx, const JobId& job_id, std::string_view state, std::string_view message) {
    TRY(const auto changed,
        tx.execute(
            sql::kWithdrawDeployment,
            {
                {"job_id", job_id},
                {"state", state},
                {"message", message},
            }
        ));
    return changed > 0 ? raise_serial(tx) : Status{};
}

Result<Deployment> stop(
    db::Tx& tx, const std::string& deployment_id, const std::string& tenant_id
) {
    TRY(const auto changed,
        tx.execute(
            sql::kStopDeployment,
            {
                {"deployment_id", deployment_id},
                {"tenant_id", tenant_id},
            }
        ));
    TRY(Deployment deployment, get(tx, deployment_id, tenant_id));
    if (changed > 0) {
        TRY_STATUS(raise_serial(tx));
        TRY_STATUS(billing::usage_store::end_accrual(tx, deployment.job_id, billing::kDeployments));
    }
    if (deployment.state == "loading") {
        return Error::conflict("{} is still being deployed by {}", deployment_id, deployment.job_id)
            .hint(fmt::format("cancel that job instead: nexa job cancel {}", deployment.job_id));
    }
    return deployment;
}

Result<std::int64_t> serial(db::Tx& tx) {
    // Each rises in the transaction of its own changes, so the sum does with every change of
    // either.
    TRY(const std::int64_t keys, accounts::key_store::serial(tx));
    TRY(const auto row, tx.query_one(sql::kDeploymentSerial));
    NEXA_CHECK(row.has_value());  // the migration made the one row, and nothing deletes it
    return keys + row->int64("serial");
}

Result<protocol::GatewaySnapshot> snapshot(db::Tx& tx, const std::string& region) {
    protocol::GatewaySnapshot snapshot{.region = region, .created_at = to_rfc3339(tx.now())};
    TRY(snapshot.serial, serial(tx));
    TRY(const auto rows, tx.query(sql::kListServed, {{"region", region}}));
    for (const db::Row& row : rows) {
        TRY(auto deployment, served_from(row));
        snapshot.deployments.push_back(std::move(deployment));
    }
    TRY(const auto keys, accounts::key_store::good_keys(tx, accounts::kInferenceScope));
    for (const accounts::GoodKey& key : keys) {
        snapshot.keys.push_back(key_from(key));
    }
    return snapshot;
}

Status keep_report(db::Tx& tx, const protocol::GatewayReport& report) {
    TRY_STATUS(tx.execute(sql::kForgetGateways, {{"age_us", kForgottenAfter}}));
    TRY_STATUS(tx.execute(
        sql::kSeeGateway,
        {
            {"gateway_id", report.gateway_id},
            {"region", report.region},
            {"url", report.url},
            {"serial", report.serial},
        }
    ));
    TRY_STATUS(tx.execute(sql::kForgetReport, {{"gateway_id", report.gateway_id}}));
    TRY_STATUS(tx.execute(
        sql::kKeepReport,
        {
            {"gateway_id", report.gateway_id},
            {"region", report.region},
            {"states", to_json(report.deployments)},
        }
    ));
    return {};
}

Result<std::vector<GatewayState>> gateway_states(
    db::Tx& tx, const std::vector<std::string>& deployment_ids
) {
    TRY(const auto rows,
        tx.query(
            sql::kListReports,
            {
                {"deployment_ids", to_json(deployment_ids)},
                {"age_us", kGatewayLostAfter},
            }
        ));
    std::vector<GatewayState> states;
    states.reserve(rows.size());
    for (const db::Row& row : rows) {
        states.push_back({
            .deployment_id = row.text("deployment_id"),
            .gateway_id = row.text("gateway_id"),
            .url = row.text("url"),
            .state = row.text("state"),
            .message = row.text("message"),
            .last_seen_at = row.timestamp("last_seen_at"),
        });
    }
    return states;
}

Result<std::vector<Activating>> activating(db::Tx& tx, const std::string& region) {
    TRY(const auto rows, tx.query(sql::kListActivating, {{"region", region}}));
    std::vector<Activating> waiting;
    for (const db::Row& row : rows) {
        TRY(JobId job_id, JobId::parse(row.text("job_id")));
        waiting.push_back({.job_id = std::move(job_id), .deployment_id = row.text("deployment_id")}
        );
    }
    return waiting;
}

Result<std::vector<std::string>> regions(db::Tx& tx) {
    TRY(const auto rows, tx.query(sql::kListRegions));
    std::vector<std::string> regions;
    regions.reserve(rows.size());
    for (const db::Row& row : rows) {
        regions.push_back(row.text("region"));
    }
    return regions;
}

Result<std::int64_t> count_gateways(db::Tx& tx, const std::string& region) {
    TRY(const auto row,
        tx.query_one(
            sql::kCountGateways,
            {
                {"region", region},
                {"age_us", kGatewayLostAfter},
            }
        ));
    NEXA_CHECK(row.has_value());
    return row->int64("gateways");
}

}  // namespace deployment_store

}  // namespace nexa::orchestration
