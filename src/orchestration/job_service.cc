// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_service.h"

#include "billing/budgets.h"
#include "core/json.h"
#include "core/sha256.h"
#include "orchestration/deploying.h"
#include "orchestration/job_clone.h"
#include "orchestration/job_estimate.h"
#include "orchestration/job_inputs.h"
#include "orchestration/job_view.h"
#include "orchestration/job_waiting.h"
#include "orchestration/metric_series.h"
#include "protocol/job_types.h"
#include "protocol/submission.h"

namespace nexa::orchestration {

namespace {

/// What cancelling a job came to.
struct Cancelled {
    protocol::JobView view;
    bool ended = false;
    WorkflowNews news;
};

/// The payload in its canonical form, defaults filled in.
Status make_canonical(const protocol::JobTypeRow& type, protocol::Submission& submission) {
    auto payload = type.canonical(submission.payload.text);
    if (!payload) {
        Error error = std::move(payload).error();
        return submission.wrapped ? std::move(error).at("payload") : std::move(error);
    }
    submission.payload = *std::move(payload);
    return {};
}

NewJob new_job(
    const JobSubmission& from,
    protocol::Submission submission,
    std::optional<std::string> retry_of,
    JobId job_id
) {
    protocol::SubmissionOptions& options = submission.options;
    options.dry_run.reset();  // says how it is sent, not what it is
    NewJob job{
        .job_id = std::move(job_id),
        .tenant_id = from.principal.project_id,
        .user_id = from.principal.user_id,
        .key_id = from.principal.key_id,
        .job_type = from.job_type,
        .pool = options.pool,
        .priority = options.priority,
        .gpus = options.gpus,
        .memory_bytes = options.memory_bytes,
        .max_failures = options.max_attempts,
        .name = options.name,
        .retry_of = std::move(retry_of),
        .trace_id = from.trace_id,
        .idempotency_key = from.idempotency_key,
    };
    std::string identity =
        fmt::format("{}\n{}\n{}", job.job_type, submission.payload.text, to_json(options));
    if (job.retry_of) {
        identity += "\n" + *job.retry_of;
    }
    job.request_sha256 = sha256(identity).hex();
    job.payload = std::move(submission.payload);
    return job;
}

protocol::EstimateInput shown(const protocol::JobInput& input) {
    protocol::EstimateInput view{
        .name = input.name,
        .artifact_id = input.artifact_id,
        .kind = input.kind,
        .files = static_cast<std::int64_t>(input.files.size()),
    };
    for (const protocol::InputFile& file : input.files) {
        view.bytes += file.size;
    }
    return view;
}

std::int64_t bytes_read(const std::vector<protocol::EstimateInput>& inputs) {
    std::int64_t all = 0;
    for (const protocol::EstimateInput& input : inputs) {
        if (input.name == "dataset" && input.bytes > 0) {
            return input.bytes;
        }
        all += input.bytes;
    }
    return all;
}

Result<MetricSeries> read_metrics(db::Tx& tx, const JobId& job_id) {
    constexpr int kEventsPerRead = 2000;
    constexpr int kReadsMax = 100;
    MetricSeries series;
    std::int64_t after = 0;
    for (int read = 0; read < kReadsMax; ++read) {
        TRY(const auto events, job_store::read_metric_events(tx, job_id, after, kEventsPerRead));
        for (const JobEvent& event : events) {
            after = event.sequence;
            const auto told = from_json<protocol::EngineEvent>(
                event.data.text, {.unknown_keys = UnknownKeys::kIgnore}
            );
            if (!told) {
                continue;  // an older version's
            }
            for (const auto& [name, value] : told->metrics) {
                series.add(
                    told->phase.empty() ? name : fmt::format("{}/{}", told->phase, name),
                    {.step = told->done, .at = event.at, .value = value}
                );
            }
        }
        if (events.size() < static_cast<std::size_t>(kEventsPerRead)) {
            break;
        }
    }
    return series;
}

protocol::JobMetrics shown(
    const JobId& job_id, const MetricSeries& series, std::size_t points_max
) {
    protocol::JobMetrics view{.job_id = job_id.text()};
    for (const auto& [name, points] : series.all()) {
        protocol::MetricSeriesView one{
            .name = name, .points_total = static_cast<std::int64_t>(points.size())
        };
        for (const MetricPoint& point : downsample(points, points_max)) {
            one.steps.push_back(point.step);
            one.timestamps.push_back(to_rfc3339(point.at));
            one.values.push_back(point.value);
        }
        view.data.push_back(std::move(one));
    }
    return view;
}

/// What a job would be and take. `job` is complete but for its inputs.
Result<protocol::JobEstimate> estimate_of(
    db::Tx& tx, NewJob job, const billing::RateCard& card, std::span<const std::string> regions
) {
    TRY(job.inputs, find_inputs(tx, job.tenant_id, job.job_type, job.payload, Holding::kNot));
    if (deploys(job.job_type)) {
        TRY_STATUS(check_deploy(tx, job, regions));
    }
    protocol::JobEstimate estimate{
        .job_type = job.job_type, .payload = job.payload, .rate_card = std::string(card.name)
    };
    for (const protocol::JobInput& input : job.inputs) {
        estimate.inputs.push_back(shown(input));
    }
    const PlannedJob planned{
        .job_type = job.job_type,
        .payload = job.payload,
        .input_bytes = bytes_read(estimate.inputs),
    };
    TRY(const auto past, read_past_jobs(tx, job.tenant_id, job.job_type));
    Forecast known = forecast(planned, past, card);
    estimate.seconds = known.seconds;
    estimate.usage = std::move(known.usage);
    estimate.cost_usd = std::move(known.cost_usd);
    estimate.based_on = known.based_on;
    estimate.basis = std::move(known.basis);

    const PlaceWish wish{.tenant_id = job.tenant_id, .pool = job.pool, .priority = job.priority};
    TRY(const QueuePlace place, read_place(tx, wish));
    TRY(const auto fleet, read_fleet(tx));
    Fit fit = find_fit(
        {.pool = job.pool, .gpus = job.gpus, .memory_bytes = job.memory_bytes}, fleet, place
    );
    estimate.jobs_ahead = place.ahead;
    estimate.workers_fitting = fit.fitting;
    estimate.workers_idle = fit.idle;
    estimate.blocked_by = std::move(fit.blocked_by);
    return estimate;
}

/// Errors: kNotFound, also for another tenant's.
net::Task<Job> read_job(Backend backend, JobId job_id, std::string tenant_id) {
    auto look_up = [job_id = std::move(job_id), tenant_id = std::move(tenant_id)](db::Tx& tx) {
        return job_store::get(tx, job_id, tenant_id);
    };
    co_return co_await backend.read(std::move(look_up));
}

}  // namespace

net::Task<protocol::JobView> JobService::submit(JobSubmission submission) {
    Checked checked;
    CO_TRY(checked.type, protocol::find_job_type(submission.job_type));
    CO_TRY(checked.submission, protocol::read_submission(submission.body));
    co_return co_await store(std::move(submission), std::move(checked));
}

net::Task<protocol::JobView> JobService::store(JobSubmission from, Checked checked) {
    CO_TRY_STATUS(make_canonical(*checked.type, checked.submission));
    NewJob job = new_job(
        from, std::move(checked.submission), std::move(checked.retry_of), with_.ids.make<JobId>()
    );
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
        with_.counters.submitted(stored.first.job_type);
        with_.pool_signal.notify(pool, 1);
    }
    co_return std::move(stored.first);
}

net::Task<protocol::JobEstimate> JobService::estimate(JobSubmission submission) {
    CO_TRY(const protocol::JobTypeRow* type, protocol::find_job_type(submission.job_type));
    CO_TRY(protocol::Submission read, protocol::read_submission(submission.body));
    CO_TRY_STATUS(make_canonical(*type, read));
    NewJob job = new_job(submission, std::move(read), std::nullopt, with_.ids.make<JobId>());
    auto look = [job = std::move(job), &card = with_.rate_card, regions = regions_](db::Tx& tx
                ) -> Result<protocol::JobEstimate> {
        TRY_STATUS(billing::budgets::admit(tx, job.tenant_id, job.key_id));
        return estimate_of(tx, job, card, regions);
    };
    co_return co_await with_.backend.read(std::move(look));
}

net::Task<protocol::JobView> JobService::retry(JobRepetition repetition) {
    CO_TRY(
        const Job job,
        co_await read_job(with_.backend, repetition.job_id, repetition.principal.project_id)
    );
    // What has ended never changes, so this holds for good.
    if (job.status != protocol::JobStatus::kFailed &&
        job.status != protocol::JobStatus::kCancelled) {
        co_return Error::conflict(
            "job {} is {}; a retry is for one that failed or was cancelled",
            job.job_id.text(),
            protocol::to_string(job.status)
        )
            .at("job_id")
            .hint("to make the same job once more, clone it");
    }
    Checked checked{.retry_of = job.job_id.text()};
    CO_TRY(checked.type, protocol::find_job_type(job.job_type));
    CO_TRY(checked.submission, ask_again(*checked.type, job, ""));
    co_return co_await store(
        {.job_type = job.job_type,
         .principal = std::move(repetition.principal),
         .idempotency_key = std::move(repetition.idempotency_key)},
        std::move(checked)
    );
}

net::Task<protocol::JobView> JobService::clone(JobRepetition repetition) {
    CO_TRY(
        const Job job,
        co_await read_job(with_.backend, repetition.job_id, repetition.principal.project_id)
    );
    Checked checked;
    CO_TRY(checked.type, protocol::find_job_type(job.job_type));
    CO_TRY(checked.submission, ask_again(*checked.type, job, repetition.changes));
    if (checked.submission.options.dry_run.value_or(false)) {
        co_return Error::invalid_argument("a clone is made, not estimated")
            .at("dry_run")
            .hint("POST /api/jobs/{type}/estimate with the job's payload tells beforehand");
    }
    co_return co_await store(
        {.job_type = job.job_type,
         .principal = std::move(repetition.principal),
         .idempotency_key = std::move(repetition.idempotency_key)},
        std::move(checked)
    );
}

net::Task<protocol::JobView> JobService::get(JobId job_id, accounts::Principal principal) {
    auto look_up = [job_id = std::move(job_id),
                    tenant_id =
                        std::move(principal.project_id)](db::Tx& tx) -> Result<protocol::JobView> {
        TRY(const Job job, job_store::get(tx, job_id, tenant_id));
        TRY(protocol::JobView view, view_with_cost(tx, job));
        TRY(view.status_reason, WaitingReasons(tx).of(job));
        return view;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<JobPage> JobService::list(JobFilter filter) {
    auto look_up = [filter = std::move(filter)](db::Tx& tx) -> Result<JobPage> {
        TRY(const std::vector<Job> jobs, job_store::list(tx, filter));
        JobPage page{.has_more = jobs.size() > static_cast<std::size_t>(filter.limit)};
        const std::size_t count = page.has_more ? jobs.size() - 1 : jobs.size();
        WaitingReasons reasons(tx);
        for (std::size_t i = 0; i < count; ++i) {
            TRY(protocol::JobView view, view_with_cost(tx, jobs[i]));
            TRY(view.status_reason, reasons.of(jobs[i]));
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

net::Task<protocol::JobMetrics> JobService::metrics(
    JobId job_id, std::size_t points_max, accounts::Principal principal
) {
    auto look_up = [job_id = std::move(job_id),
                    points_max,
                    tenant_id = std::move(principal.project_id)](db::Tx& tx
                   ) -> Result<protocol::JobMetrics> {
        TRY_STATUS(job_store::get(tx, job_id, tenant_id));
        TRY(const MetricSeries series, read_metrics(tx, job_id));
        return shown(job_id, series, points_max);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<std::vector<JobEvent>> JobService::events(JobId job_id, std::int64_t after, int limit) {
    auto look_up = [job_id = std::move(job_id), after, limit](db::Tx& tx) {
        return job_store::read_events(tx, job_id, after, limit);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

}  // namespace nexa::orchestration
