// SPDX-License-Identifier: Apache-2.0
#include "orchestration/deploying.h"

#include <algorithm>
#include <chrono>

#include <fmt/ranges.h>

#include "core/json.h"
#include "core/near_name.h"
#include "orchestration/deployment_store.h"
#include "orchestration/job_charge.h"
#include "protocol/deploy_spec.h"
#include "protocol/job_results.h"

namespace nexa::orchestration {

namespace {

using protocol::DeployResult;
using protocol::DeploySpec;
using protocol::EngineError;
using protocol::JobStatus;

constexpr DecodeOptions kLenient{.unknown_keys = UnknownKeys::kIgnore};

EngineError to_message(const Error& error) {
    return {
        .code = std::string(to_string(error.code)),
        .message = error.message,
        .param = error.param,
        .hint = error.advice,
    };
}

Error name_taken(std::string_view name, std::string_view region, std::string_view by) {
    return Error::conflict("{} already serves a model named '{}' in region '{}'", by, name, region)
        .at("name")
        .hint(fmt::format("stop it with `nexa undeploy {}`, or take another name", by));
}

Status check_region(
    db::Tx& tx, const std::string& region, std::span<const std::string> configured
) {
    TRY(std::vector<std::string> known, deployment_store::regions(tx));
    known.insert(known.begin(), configured.begin(), configured.end());
    if (std::ranges::find(known, region) != known.end()) {
        return {};
    }
    const std::vector<std::string_view> names(known.begin(), known.end());
    const auto near = nearest(region, names);
    return Error::invalid_argument("no gateway serves region '{}'", region)
        .at("region")
        .hint(
            near ? fmt::format("did you mean '{}'?", *near)
                 : fmt::format(
                       "the regions are {}; start nexa-gateway --region {} to have that one too",
                       fmt::join(names, ", "),
                       region
                   )
        );
}

Status check_model(const NewJob& job, const std::string& model_id) {
    if (job.inputs.empty()) {
        return Error::invalid_argument("'{}' is no trained model of this server", model_id)
            .at("model_id")
            .hint("give the ckpt_… id of one: nexa artifact ls --kind checkpoint");
    }
    const protocol::JobInput& model = job.inputs.front();
    if (model.kind != "checkpoint" && model.kind != "deployment") {
        return Error::invalid_argument("{} is a {}, not a model", model.artifact_id, model.kind)
            .at("model_id")
            .hint("give the ckpt_… id of one: nexa artifact ls --kind checkpoint");
    }
    return {};
}

/// The job has just left the activating state for good.
Status write_failure(db::Tx& tx, const JobId& job_id, const EngineError& error) {
    TRY_STATUS(deployment_store::withdraw(tx, job_id, "failed", error.message));
    TRY_STATUS(
        job_store::set_outcome(tx, job_id, {.error = JsonText{to_json(error)}, .finished = true})
    );
    return job_store::append_status(tx, job_id, JobStatus::kFailed, "failed");
}

/// False if the job does not wait any more.
Result<bool> complete_job(
    db::Tx& tx,
    const Activations& activations,
    const billing::RateCard& rate_card,
    const JobId& job_id,
    const std::string& inference_url
) {
    TRY(const bool completed, activations.complete(tx, job_id));
    if (!completed) {
        return false;
    }
    TRY_STATUS(deployment_store::set_ready(tx, job_id, inference_url));
    TRY(const Deployment deployment, deployment_store::of_job(tx, job_id));
    TRY(DeployResult result, from_json<DeployResult>(deployment.result.text, kLenient));
    TRY(const auto usage, from_json<protocol::Usage>(deployment.usage.text, kLenient));
    result.inference_url = inference_url;
    TRY_STATUS(
        job_store::set_outcome(tx, job_id, {.result = JsonText{to_json(result)}, .finished = true})
    );
    TRY_STATUS(job_store::append_status(tx, job_id, JobStatus::kCompleted, "a gateway serves it"));
    TRY(const Job job, job_store::get(tx, job_id, std::nullopt));
    TRY_STATUS(charge(tx, rate_card, job, usage));
    return true;
}

Result<bool> fail_job(
    db::Tx& tx, const Activations& activations, const JobId& job_id, const Error& error
) {
    TRY(const bool failed, activations.fail(tx, job_id));
    if (!failed) {
        return false;
    }
    TRY_STATUS(write_failure(tx, job_id, to_message(error)));
    return true;
}

/// Why a job was not taken up, and what to look at.
Result<EngineError> overdue(
    db::Tx& tx, const Deployment& deployment, std::chrono::microseconds time
) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
    TRY(const std::int64_t gateways, deployment_store::count_gateways(tx, deployment.region));
    if (gateways == 0) {
        return to_message(
            Error::unavailable(
                "no gateway of region '{}' reported within {} s", deployment.region, seconds
            )
                .hint(fmt::format("is nexa-gateway running with --region {}?", deployment.region))
        );
    }
    return to_message(
        Error::deadline_exceeded(
            "no gateway of region '{}' had {} ready within {} s",
            deployment.region,
            deployment.deployment_id,
            seconds
        )
            .hint("look at the gateway's log for what it waited for, then deploy again")
    );
}

}  // namespace

bool deploys(std::string_view job_type) {
    return job_type == "deploy";
}

Status check_deploy(db::Tx& tx, const NewJob& job, std::span<const std::string> regions) {
    TRY(const auto spec, from_json<DeploySpec>(job.payload.text));
    TRY_STATUS(check_region(tx, spec.region, regions));
    TRY_STATUS(check_model(job, spec.model_id));
    if (!spec.name) {
        return {};
    }
    TRY(const auto taken, deployment_store::find_live(tx, job.tenant_id, spec.region, *spec.name));
    return taken ? Status(name_taken(*spec.name, spec.region, *taken)) : Status{};
}

Result<std::optional<EngineError>> begin_deployment(
    db::Tx& tx, const Activations& activations, const Job& job, const protocol::JobResult& result
) {
    TRY(const auto spec, from_json<DeploySpec>(job.payload.text, kLenient));
    const JsonText made = result.result.value_or(JsonText{"{}"});
    auto read = from_json<DeployResult>(made.text, kLenient);
    if (!read) {
        return std::move(read).error().at("result");
    }
    const bool is_its_own = result.artifacts.size() == 1 &&
                            result.artifacts.front().kind == "deployment" &&
                            result.artifacts.front().artifact_id == read->deployment_id;
    if (!is_its_own) {
        return Error::invalid_argument(
                   "job {} has to hand in the one deployment that its result names",
                   job.job_id.text()
        )
            .at("artifacts");
    }
    const Deployment deployment{
        .deployment_id = read->deployment_id,
        .tenant_id = job.tenant_id,
        .job_id = job.job_id.text(),
        .name = spec.name.value_or(read->deployment_id),
        .region = spec.region,
        .result = made,
        .usage = {to_json(result.usage)},
    };
    TRY(const bool added, deployment_store::add(tx, deployment));
    if (added) {
        return std::nullopt;
    }
    // Somebody else's came in between its submission and now.
    TRY(const auto taken,
        deployment_store::find_live(tx, job.tenant_id, spec.region, deployment.name));
    TRY_STATUS(activations.fail(tx, job.job_id));
    return to_message(name_taken(deployment.name, spec.region, taken.value_or("another")));
}

Result<std::vector<JobId>> take_in_report(
    db::Tx& tx,
    const Activations& activations,
    const billing::RateCard& rate_card,
    const protocol::GatewayReport& report
) {
    TRY_STATUS(deployment_store::keep_report(tx, report));
    TRY(const auto waiting, deployment_store::activating(tx, report.region));
    std::vector<JobId> ended;
    for (const Activating& job : waiting) {
        const auto told = std::ranges::find(
            report.deployments, job.deployment_id, &protocol::GatewayDeploymentState::deployment_id
        );
        bool has_ended = false;
        if (told != report.deployments.end() && told->state == "ready") {
            const std::string url = report.url + "/v1";
            TRY(has_ended, complete_job(tx, activations, rate_card, job.job_id, url));
        } else if (told != report.deployments.end() && told->state == "failed") {
            const Error error = Error::unavailable(
                                    "gateway {} cannot serve {}: {}",
                                    report.gateway_id,
                                    job.deployment_id,
                                    told->message
            )
                                    .hint("look at that gateway's log, then deploy again");
            TRY(has_ended, fail_job(tx, activations, job.job_id, error));
        }
        if (has_ended) {
            ended.push_back(job.job_id);
        }
    }
    return ended;
}

Result<std::vector<JobId>> end_overdue(db::Tx& tx, const Activations& activations) {
    TRY(auto ended, activations.expire(tx));
    for (const JobId& job_id : ended) {
        TRY(const Deployment deployment, deployment_store::of_job(tx, job_id));
        TRY(const EngineError error, overdue(tx, deployment, activations.options().time));
        TRY_STATUS(write_failure(tx, job_id, error));
    }
    return ended;
}

}  // namespace nexa::orchestration
