// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_service.h"

#include "billing/budgets.h"
#include "core/json.h"
#include "core/sha256.h"
#include "orchestration/deploying.h"
#include "orchestration/job_inputs.h"
#include "orchestration/job_view.h"
#include "protocol/job_types.h"
#include "protocol/submission.h"

namespace nexa::orchestration {

namespace {

/// What a submission asks of the queue, with the canonical payload.
struct Request {
    JsonText payload;
    protocol::SubmissionOptions options;
};

/// What cancelling a job came to.
struct Cancelled {
    protocol::JobView view;
    bool ended = false;
    WorkflowNews news;
};

Result<Request> read_request(const protocol::JobTypeRow& type, const std::string& body) {
    TRY(protocol::Submission submission, protocol::read_submission(body));
    auto payload = type.canonical(submission.payload.text);
    if (!payload) {
        Error error = std::move(payload).error();
        return submission.wrapped ? std::move(error).at("payload") : std::move(error);
    }
    return Request{.payload = *std::move(payload), .options = std::move(submission.options)};
}

NewJob new_job(const JobSubmission& submission, Request request, JobId job_id) {
    const protocol::SubmissionOptions& options = request.options;
    NewJob job{
        .job_id = std::move(job_id),
        .tenant_id = submission.principal.project_id,
        .user_id = submission.principal.user_id,
        .key_id = submission.principal.key_id,
        .job_type = submission.job_type,
        .pool = options.pool,
        .priority = options.priority,
        .gpus = options.gpus,
        .memory_bytes = options.memory_bytes,
        .max_failures = options.max_attempts,
        .name = options.name,
        .trace_id = submission.trace_id,
        .idempotency_key = submission.idempotency_key,
    };
    const std::string identity =
        fmt::format("{}\n{}\n{}", job.job_type, request.payload.text, to_json(options));
    job.request_sha256 = sha256(identity).hex();
    job.payload = std::move(request.payload);
    return job;
}

}  // namespace

net::Task<protocol::JobView> JobService::submit(JobSubmission submission) {
    CO_TRY(const protocol::JobTypeRow* type, protocol::find_job_type(submission.job_type));
    CO_TRY(Request request, read_request(*type, submission.body));
    NewJob job = new_job(submission, std::move(request), with_.ids.make<JobId>());
    const std::string pool = job.pool;
    auto apply = [job = std::move(job), regions = regions_](db::Tx& tx
                 ) mutable -> Result<std::pair<protocol::JobView, bool>> {
        TRY(job.inputs, find_inputs(tx, job.tenant_id, job.job_type, job.payload));
        TRY(const Submitted submitted, job_store::submit(tx, job));
        if (submitted.created) {
            // Only what is new: the same submission again gets the job that was accepted.
            TRY_STATUS(billing::budgets::admit(tx, job.tenant_id, job.key_id));
        }
        if (submitted.created && deploys(job.job_type)) {
            TRY_STATUS(check_deploy(tx, job, regions));
        }
        TRY(const Job stored, job_store::get(tx, submitted.job_id, job.tenant_id));
        TRY(protocol::JobView view, view_with_cost(tx, stored));
        return std::pair(std::move(view), submitted.created);
    };
    CO_TRY(auto stored, co_await with_.backend.write(std::move(apply)));
    if (stored.second) {
        with_.counters.submitted(submission.job_type);
        with_.pool_signal.notify(pool, 1);
    }
    co_return std::move(stored.first);
}

net::Task<protocol::JobView> JobService::get(JobId job_id, accounts::Principal principal) {
    auto look_up = [job_id = std::move(job_id),
                    tenant_id =
                        std::move(principal.project_id)](db::Tx& tx) -> Result<protocol::JobView> {
        TRY(const Job job, job_store::get(tx, job_id, tenant_id));
        return view_with_cost(tx, job);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<JobPage> JobService::list(JobFilter filter) {
    auto look_up = [filter = std::move(filter)](db::Tx& tx) -> Result<JobPage> {
        TRY(const std::vector<Job> jobs, job_store::list(tx, filter));
        JobPage page{.has_more = jobs.size() > static_cast<std::size_t>(filter.limit)};
        const std::size_t count = page.has_more ? jobs.size() - 1 : jobs.size();
        for (std::size_t i = 0; i < count; ++i) {
            TRY(protocol::JobView view, view_with_cost(tx, jobs[i]));
            page.jobs.push_back(std::move(view));
        }
        return page;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::JobView> JobService::cancel(JobId job_id, accounts::Principal principal) {
    const std::string key = job_id.text();
    auto apply = [job_id = std::move(job_id),
                  tenant_id = std::move(principal.project_id),
                  &workflows = with_.workflows](db::Tx& tx) -> Result<Cancelled> {
        TRY(const Job before, job_store::get(tx, job_id, tenant_id));
        TRY(const Job job, job_store::cancel(tx, job_id, tenant_id));
        Cancelled cancelled;
        TRY(cancelled.view, view_with_cost(tx, job));
        cancelled.ended = protocol::is_final(job.status) && !protocol::is_final(before.status);
        TRY(cancelled.news, workflows.advance(tx));
        return cancelled;
    };
    CO_TRY(Cancelled cancelled, co_await with_.backend.write(std::move(apply)));
    if (cancelled.ended) {
        with_.counters.finished(cancelled.view.job_type, protocol::JobStatus::kCancelled);
    }
    with_.event_signal.notify(key);
    with_.workflows.tell(cancelled.news);
    co_return std::move(cancelled.view);
}

net::Task<std::vector<JobEvent>> JobService::events(JobId job_id, std::int64_t after, int limit) {
    auto look_up = [job_id = std::move(job_id), after, limit](db::Tx& tx) {
        return job_store::read_events(tx, job_id, after, limit);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

}  // namespace nexa::orchestration
