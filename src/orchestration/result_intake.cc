// SPDX-License-Identifier: Apache-2.0
#include "orchestration/result_intake.h"

#include "core/json.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/artifact_store.h"
#include "orchestration/deploying.h"
#include "orchestration/job_charge.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

namespace {

using protocol::JobResult;
using protocol::JobStatus;

LeaseRef lease_of(const JobResult& result, JobId job_id) {
    return {.job_id = std::move(job_id), .worker_id = result.worker_id, .fence = result.fence};
}

bool may_help_to_retry(const JobResult& result) {
    const auto code = result.error ? error_code_from(result.error->code) : std::nullopt;
    return code && is_retryable(*code);
}

Result<EndedLease> end_lease(
    db::Tx& tx,
    const IntakeRules& rules,
    const Job& job,
    const LeaseRef& lease,
    const CheckedResult& checked
) {
    const JobResult& result = checked.result;
    if (result.outcome == "completed") {
        return deploys(job.job_type) ? rules.activations.begin(tx, lease)
                                     : rules.leases.complete(tx, lease);
    }
    if (result.outcome == "returned") {
        return rules.leases.hand_back(tx, lease);
    }
    const Failure failure{
        .retryable = may_help_to_retry(result),
        .cancelled = result.outcome == "cancelled",
        .backoff = checked.backoff,
    };
    return rules.leases.fail(tx, lease, failure);
}

std::string_view reason_of(const JobResult& result, const EndedLease& ended) {
    if (ended.state == "done") {
        return "completed";
    }
    if (ended.state == "activating") {
        return "deployed, waits for a gateway";
    }
    if (ended.state == "dead") {
        return "failed";
    }
    if (ended.state == "cancelled") {
        return "cancelled";
    }
    return result.outcome == "returned" ? "returned by its worker" : "failed, will be tried again";
}

Status keep_artifacts(db::Tx& tx, const Job& job, const JobResult& result) {
    for (const protocol::ResultArtifact& made : result.artifacts) {
        TRY(ArtifactRecord record, describe_artifact(job, made, tx.now()));
        TRY_STATUS(artifact_store::add(tx, record));
    }
    return {};
}

/// A job that ends because its worker vanished: asked to stop, or once too often.
JobOutcome end_of_lost(const Job& job) {
    JobOutcome outcome{.finished = true};
    if (job.status == JobStatus::kFailed) {
        const protocol::EngineError error{
            .code = std::string(to_string(ErrorCode::kUnavailable)),
            .message = fmt::format("{} workers were lost while they ran this job", job.losses),
            .hint = "look at the workers' logs for what stopped them, then submit it again",
        };
        outcome.error = JsonText{to_json(error)};
    }
    return outcome;
}

Status note_taken(db::Tx& tx, const std::vector<EndedLease>& ended, std::string_view reason) {
    for (const EndedLease& lease : ended) {
        TRY(const Job job, job_store::get(tx, lease.job_id, std::nullopt));
        TRY_STATUS(job_store::append_status(tx, lease.job_id, job.status, reason));
        if (protocol::is_final(job.status)) {
            TRY_STATUS(job_store::set_outcome(tx, lease.job_id, end_of_lost(job)));
        }
    }
    return {};
}

}  // namespace

Result<EndedLease> take_in(db::Tx& tx, const IntakeRules& rules, const CheckedResult& checked) {
    TRY(const JobId job_id, JobId::parse(checked.result.job_id));
    TRY(const Job before, job_store::get(tx, job_id, std::nullopt));
    return take_in(tx, rules, before, checked);
}

Result<EndedLease> take_in(
    db::Tx& tx, const IntakeRules& rules, const Job& before, const CheckedResult& checked
) {
    const JobResult& result = checked.result;
    const JobId& job_id = before.job_id;
    const LeaseRef lease = lease_of(result, job_id);
    TRY(EndedLease ended, end_lease(tx, rules, before, lease, checked));
    TRY_STATUS(tx.execute(
        sql::kKeepEnvelope,
        {
            {"job_id", job_id},
            {"fence", lease.fence},
            {"envelope", checked.envelope},
        }
    ));
    JobOutcome outcome;
    if (result.error) {
        outcome.error = JsonText{to_json(*result.error)};
    }
    if (ended.state == "done" || ended.state == "activating") {
        outcome.error.reset();
        TRY_STATUS(keep_artifacts(tx, before, result));
    }
    if (ended.state == "done") {
        outcome.result = result.result;
        TRY_STATUS(charge(tx, rules.rate_card, before, result.usage));
    }
    if (ended.state == "activating") {
        TRY(const auto refused, begin_deployment(tx, rules.activations, before, result));
        if (refused) {
            ended.state = "dead";
            outcome.error = JsonText{to_json(*refused)};
        }
    }
    const JobStatus status = public_status(ended.state, false);  // no attempt runs any more
    outcome.finished = protocol::is_final(status);
    TRY_STATUS(job_store::set_outcome(tx, job_id, outcome));
    TRY_STATUS(job_store::append_status(tx, job_id, status, reason_of(result, ended)));
    return ended;
}

Result<std::vector<EndedLease>> take_back(db::Tx& tx, const Leases& leases) {
    TRY(auto ended, leases.expire(tx));
    TRY_STATUS(note_taken(tx, ended, "worker lost"));
    return ended;
}

Result<std::vector<EndedLease>> take_from(db::Tx& tx, const std::string& worker_id) {
    TRY(auto ended, Leases::take_from(tx, worker_id));
    TRY_STATUS(note_taken(tx, ended, "worker removed"));
    return ended;
}

}  // namespace nexa::orchestration
