// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_view.h"

#include "billing/usage_store.h"
#include "core/json.h"

namespace nexa::orchestration {

namespace {

std::optional<std::string> shown(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_rfc3339(*time)) : std::nullopt;
}

/// What we stored ourselves; a text that no longer decodes (an older version's) is shown as absent.
template <class T>
std::optional<T> stored(const std::optional<JsonText>& text) {
    if (!text) {
        return std::nullopt;
    }
    auto value = from_json<T>(text->text, {.unknown_keys = UnknownKeys::kIgnore});
    return value ? std::optional(*std::move(value)) : std::nullopt;
}

}  // namespace

protocol::JobView to_view(const Job& job, billing::MicroUsd cost) {
    return {
        .job_id = job.job_id.text(),
        .job_type = job.job_type,
        .status = std::string(protocol::to_string(job.status)),
        .created_at = to_rfc3339(job.created_at),
        .updated_at = to_rfc3339(job.updated_at),
        .result = job.result,
        .logs_uri = fmt::format("/api/jobs/{}/logs", job.job_id.text()),
        .artifacts_uri = fmt::format("/api/artifacts?job_id={}", job.job_id.text()),
        .error = stored<protocol::EngineError>(job.error),
        .user_id = job.user_id,
        .payload = job.payload,
        .name = job.name,
        .worker_id = job.worker_id,
        .attempt = job.attempt,
        .priority = job.priority,
        .cancel_requested = job.cancel_requested,
        .started_at = shown(job.started_at),
        .finished_at = shown(job.finished_at),
        .progress = stored<protocol::EngineEvent>(job.progress),
        .retry_of = job.retry_of,
        .cost_usd = billing::to_dollars(cost),
    };
}

Result<protocol::JobView> view_with_cost(db::Tx& tx, const Job& job) {
    TRY(const billing::MicroUsd cost, billing::usage_store::job_cost(tx, job.job_id.text()));
    return to_view(job, cost);
}

}  // namespace nexa::orchestration
