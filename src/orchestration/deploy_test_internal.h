// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "billing/rate_card.h"
#include "core/json.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/deploying.h"
#include "orchestration/deployment_store.h"
#include "orchestration/result_intake.h"
#include "protocol/deploy_spec.h"
#include "protocol/job_results.h"
#include "protocol/job_types.h"

namespace nexa::orchestration {

inline constexpr std::chrono::seconds kActivation{30};

/// Deploy jobs whose engine has always just finished.
class DeployTest : public DatabaseTest {
protected:
    JobId add_deploy(protocol::DeploySpec spec = {}, const std::string& tenant = "prj_a") {
        spec.model_id = "ckpt_1";
        NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = tenant,
            .user_id = "usr_1",
            .key_id = "key_1",
            .job_type = "deploy",
            .payload = {to_json(spec)},
        };
        EXPECT_TRUE(write([&](db::Tx& tx) { return job_store::submit(tx, job); }));
        return job.job_id;
    }

    /// Grants the one ready job.
    LeaseRef claim() {
        const auto granted =
            write([&](db::Tx& tx) { return leases.claim(tx, {.worker_id = "w1"}); }).value();
        EXPECT_EQ(granted.size(), 1U);
        return granted.empty() ? LeaseRef{} : granted.front().ref;
    }

    static std::string deployment_of(const JobId& job_id) {
        return protocol::artifact_id_of(job_id.text(), "deployment");
    }

    /// What an engine hands in.
    static protocol::JobResult result_of(const LeaseRef& lease) {
        const std::string deployment_id = deployment_of(lease.job_id);
        return {
            .job_id = lease.job_id.text(),
            .worker_id = lease.worker_id,
            .fence = lease.fence,
            .outcome = "completed",
            .result = JsonText{to_json(protocol::DeployResult{.deployment_id = deployment_id})},
            .artifacts = {{
                .artifact_id = deployment_id,
                .kind = "deployment",
                .name = "model",
                .files = {{
                    .path = "config.json",
                    .digest = "sha256:" + std::string(64, 'a'),
                    .size = 3,
                }},
            }},
            .usage = {.cpu_seconds = 2, .stored_bytes = 3},
        };
    }
    Result<EndedLease> take(const protocol::JobResult& result) {
        const CheckedResult checked{.result = result, .envelope = "{}"};
        return write([&](db::Tx& tx) {
            return take_in(tx, {leases, activations, billing::default_rate_card()}, checked);
        });
    }
    /// From submission to the wait for a gateway.
    JobId activate(protocol::DeploySpec spec = {}, const std::string& tenant = "prj_a") {
        const JobId job_id = add_deploy(std::move(spec), tenant);
        const auto ended = take(result_of(claim()));
        EXPECT_TRUE(ended) << ended.error().to_string();
        EXPECT_EQ(ended ? ended->state : "", "activating");
        return job_id;
    }

    static protocol::GatewayReport report_of(
        const std::vector<protocol::GatewayDeploymentState>& states,
        const std::string& gateway_id = "gw-1",
        const std::string& region = "local"
    ) {
        return {
            .gateway_id = gateway_id,
            .region = region,
            .url = "http://" + gateway_id + ":8080",
            .serial = 1,
            .deployments = states,
        };
    }
    std::vector<JobId> report(const protocol::GatewayReport& report) {
        const auto ended = write([&](db::Tx& tx) {
            return take_in_report(tx, activations, billing::default_rate_card(), report);
        });
        EXPECT_TRUE(ended) << ended.error().to_string();
        return ended.value_or(std::vector<JobId>{});
    }
    std::vector<JobId> report_ready(const JobId& job_id) {
        return report(report_of({{.deployment_id = deployment_of(job_id), .state = "ready"}}));
    }
    std::vector<JobId> end_due() {
        return write([&](db::Tx& tx) { return end_overdue(tx, activations); }).value();
    }
    Result<Deployment> stop(const JobId& job_id, const std::string& tenant = "prj_a") {
        return write([&](db::Tx& tx) {
            return deployment_store::stop(tx, deployment_of(job_id), tenant);
        });
    }

    Deployment deployment(const JobId& job_id) {
        return database->read([&](db::Tx& tx) { return deployment_store::of_job(tx, job_id); }
        ).value();
    }
    std::int64_t serial() {
        return database->read([](db::Tx& tx) { return deployment_store::serial(tx); }).value();
    }
    protocol::GatewaySnapshot snapshot(const std::string& region = "local") {
        return database->read([&](db::Tx& tx) { return deployment_store::snapshot(tx, region); }
        ).value();
    }
    std::vector<std::string> served(const std::string& region = "local") {
        std::vector<std::string> names;
        for (const auto& deployment : snapshot(region).deployments) {
            names.push_back(deployment.name);
        }
        return names;
    }
    std::vector<std::string> statuses(const JobId& job_id) {
        const auto events =
            database->read([&](db::Tx& tx) { return job_store::read_events(tx, job_id, 0, 100); }
            ).value();
        std::vector<std::string> statuses;
        for (const JobEvent& event : events) {
            const std::string& text = event.data.text;
            statuses.push_back(text.substr(11, text.find('"', 11) - 11));
        }
        return statuses;
    }
    protocol::EngineError error_of(const JobId& job_id) {
        const auto error = job(job_id).error;
        return error ? from_json<protocol::EngineError>(error->text).value()
                     : protocol::EngineError{};
    }
    std::int64_t count(std::string_view table) {
        const std::string text = fmt::format("SELECT count(*) AS n FROM {}", table);
        return database->read([&](db::Tx& tx) { return tx.query_one(statement(text)); })
            .value()
            ->int64("n");
    }

    Leases leases{LeaseOptions{.lease = std::chrono::seconds{60}}};
    Activations activations{ActivationOptions{.time = kActivation}};
};

}  // namespace nexa::orchestration
