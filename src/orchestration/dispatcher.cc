// SPDX-License-Identifier: Apache-2.0
#include "orchestration/dispatcher.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "core/json.h"
#include "fleet/envelope.h"
#include "orchestration/result_intake.h"
#include "orchestration/worker_store.h"
#include "protocol/worker_messages.h"

namespace nexa::orchestration {

namespace {

using protocol::JobResult;
using protocol::JobSpec;

/// Longer than any backoff exponent that matters.
constexpr int kDoublingsMax = 20;
/// How many polls' time a worker that gets no jobs waits for orders given at another coordinator.
constexpr int kOrderPolls = 5;

Result<Worker> own_worker(db::Tx& tx, const std::string& worker_id, const std::string& tenant_id) {
    TRY(Worker worker, worker_store::see(tx, worker_id));
    if (worker.tenant_id != tenant_id || worker.membership == "revoked") {
        return Error::permission_denied("worker {} is not yours to speak for", worker_id)
            .at("worker_id");
    }
    return worker;
}

struct TakenIn {
    EndedLease lease;
    std::string pool;
    WorkflowNews news;
};

struct TakenBack {
    std::vector<EndedLease> lost;
    WorkflowNews news;
};

Result<JobSpec> spec_of(const Job& job, const Lease& lease) {
    TRY(auto inputs, from_json<std::vector<protocol::JobInput>>(job.inputs.text));
    return JobSpec{
        .job_id = job.job_id.text(),
        .job_type = job.job_type,
        .worker_id = lease.ref.worker_id,
        .fence = lease.ref.fence,
        .attempt = lease.attempt,
        .payload = job.payload,
        .inputs = std::move(inputs),
        .gpus = job.gpus,
    };
}

Status note_assignment(db::Tx& tx, const Lease& lease) {
    return job_store::append_status(
        tx, lease.ref.job_id, protocol::JobStatus::kAssigned, "leased to a worker"
    );
}

/// The newest progress is what a list shows; all events stay readable one by one.
Status keep_events(db::Tx& tx, const JobId& job_id, std::span<const protocol::EngineEvent> events) {
    const protocol::EngineEvent* newest = nullptr;
    for (const protocol::EngineEvent& event : events) {
        TRY_STATUS(job_store::append_event(tx, job_id, event.type, JsonText{to_json(event)}));
        if (event.type == "progress") {
            newest = &event;
        }
    }
    if (newest != nullptr) {
        TRY_STATUS(job_store::set_progress(tx, job_id, JsonText{to_json(*newest)}));
    }
    return {};
}

protocol::CompleteOutcome refusal(const std::string& job_id, const Error& error) {
    return {
        .job_id = job_id,
        .status = row_of(error.code).http_status,
        .code = std::string(to_string(error.code)),
        .detail = error.to_string(),
    };
}

/// Every file of every artifact was uploaded before.
Status check_uploads(storage::BlobVault& blobs, const JobResult& result) {
    for (const protocol::ResultArtifact& artifact : result.artifacts) {
        for (const protocol::InputFile& file : artifact.files) {
            TRY(const Sha256Digest digest, Sha256Digest::parse(file.digest));
            TRY(const Bytes size, blobs.size(digest));
            if (size.value() != file.size) {
                return Error::invalid_argument(
                           "{} has {} bytes, not {}", file.path, size.value(), file.size
                )
                    .at(artifact.artifact_id);
            }
        }
    }
    return {};
}

}  // namespace

net::Task<protocol::NextJobReply> Dispatcher::next_jobs(
    protocol::NextJobRequest request, accounts::Principal principal
) {
    const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(request.wait_seconds)
    );
    std::chrono::nanoseconds waited{0};
    CO_TRY(
        const std::string pool,
        co_await with_.backend.write([request, principal](db::Tx& tx) -> Result<std::string> {
            TRY(const Worker worker, own_worker(tx, request.worker_id, principal.project_id));
            return worker.pool;
        })
    );
    std::string key = pool;
    std::optional<net::Signal::Subscription> subscription(std::in_place, with_.pool_signal, key);
    bool notified = false;
    while (true) {
        CO_TRY(const Claimed claimed, co_await claim(request, principal));
        if (!claimed.specs.empty() || claimed.drain || waited >= wait) {
            protocol::NextJobReply reply{.drain = claimed.drain};
            std::ranges::transform(
                claimed.specs,
                std::back_inserter(reply.jobs),
                [this](const JobSpec& spec) { return sign(spec); }
            );
            co_return reply;
        }
        // Who may be given no job stands in no pool's line: a wake-up there is another's, and would
        // only make it look in vain.
        if (std::string wanted = claimed.takes_jobs ? pool : order_key(request.worker_id);
            key != wanted) {
            subscription.reset();
            if (std::exchange(notified, false) && key == pool) {
                with_.pool_signal.notify(pool, 1);
            }
            key = std::move(wanted);
            subscription.emplace(with_.pool_signal, key);
            continue;
        }
        const auto look = claimed.takes_jobs ? options_.poll : options_.poll * kOrderPolls;
        const auto pause = std::min<std::chrono::nanoseconds>(look, wait - waited);
        CO_TRY(notified, co_await subscription->wait(pause));
        // A wake-up costs no waiting time: the look behind it may find the job gone, and the wait
        // goes on.
        waited += notified ? std::chrono::nanoseconds{0} : pause;
    }
}

net::Task<Dispatcher::Claimed> Dispatcher::claim(
    protocol::NextJobRequest request, accounts::Principal principal
) {
    auto apply = [leases = leases_,
                  request = std::move(request),
                  principal = std::move(principal),
                  &workflows = with_.workflows](db::Tx& tx) -> Result<Claimed> {
        TRY(const Worker worker, own_worker(tx, request.worker_id, principal.project_id));
        Claimed claimed;
        TRY(claimed.lost, take_back(tx, leases));
        claimed.drain = worker.draining;
        TRY(claimed.news, workflows.advance(tx));
        claimed.takes_jobs = worker.takes_jobs();
        if (!claimed.takes_jobs) {
            return claimed;
        }
        TRY(const auto profile,
            from_json<protocol::HardwareProfile>(
                worker.profile.text, {.unknown_keys = UnknownKeys::kIgnore}
            ));
        TRY(const auto granted,
            leases.claim(
                tx,
                {
                    .worker_id = worker.worker_id,
                    .pool = worker.pool,
                    .slots = request.slots,
                    .gpus = std::min(request.gpus, profile.gpus),
                    .memory_bytes =
                        request.memory_bytes > 0 ? request.memory_bytes : profile.memory_bytes,
                }
            ));
        for (const Lease& lease : granted) {
            TRY(const Job job, job_store::get(tx, lease.ref.job_id, std::nullopt));
            TRY(JobSpec spec, spec_of(job, lease));
            TRY_STATUS(note_assignment(tx, lease));
            claimed.specs.push_back(std::move(spec));
        }
        return claimed;
    };
    CO_TRY(auto claimed, co_await with_.backend.write(std::move(apply)));
    tell_of_lost(claimed.lost);
    with_.workflows.tell(claimed.news);
    for (const JobSpec& spec : claimed.specs) {
        with_.counters.granted(spec.job_type);
        with_.event_signal.notify(spec.job_id);
    }
    co_return claimed;
}

protocol::LeasedJob Dispatcher::sign(const JobSpec& spec) const {
    const auto lease = std::chrono::duration<double>(leases_.options().lease);
    return {
        .job_id = spec.job_id,
        .fence = spec.fence,
        .lease_seconds = lease.count(),
        .spec = fleet::to_message(
            crypto::sign_dsse(protocol::kJobSpecPayloadType, to_json(spec), with_.key)
        ),
    };
}

net::Task<protocol::ReportReply> Dispatcher::report(
    protocol::ReportRequest request, accounts::Principal principal
) {
    CO_TRY_STATUS(co_await with_.backend.write(
        [worker_id = request.worker_id, principal](db::Tx& tx) -> Status {
            TRY_STATUS(own_worker(tx, worker_id, principal.project_id));
            return {};
        }
    ));
    protocol::ReportReply reply;
    for (protocol::JobReport& job : request.jobs) {
        CO_TRY(auto answer, co_await take_report(request.worker_id, std::move(job)));
        reply.jobs.push_back(std::move(answer));
    }
    co_return reply;
}

net::Task<protocol::JobReportReply> Dispatcher::take_report(
    std::string worker_id, protocol::JobReport report
) {
    CO_TRY(const JobId job_id, JobId::parse(report.job_id));
    const LeaseRef lease{
        .job_id = job_id, .worker_id = std::move(worker_id), .fence = report.fence
    };
    auto apply = [leases = leases_, lease, first = report.first_event, events = report.events](
                     db::Tx& tx
                 ) -> Result<Renewal> {
        TRY(const Job before, job_store::get(tx, lease.job_id, std::nullopt));
        TRY(const Renewal renewal, leases.renew(tx, lease, !events.empty()));
        if (!before.started_at && !events.empty()) {
            TRY_STATUS(job_store::append_status(
                tx, lease.job_id, protocol::JobStatus::kRunning, "engine started"
            ));
        }
        const auto count = static_cast<std::int64_t>(events.size());
        TRY(const std::int64_t known, leases.take_events(tx, lease, first, count));
        const std::span<const protocol::EngineEvent> all(events);
        TRY_STATUS(keep_events(tx, lease.job_id, all.subspan(static_cast<std::size_t>(known))));
        return renewal;
    };
    const Result<Renewal> renewal = co_await with_.backend.write(std::move(apply));
    if (!renewal) {
        const ErrorCode code = renewal.error().code;
        if (code != ErrorCode::kConflict && code != ErrorCode::kNotFound) {
            co_return renewal.error();
        }
        co_return protocol::JobReportReply{.job_id = report.job_id, .action = "lost"};
    }
    auto store_log =
        [&logs = with_.logs, lease, offset = report.log_offset, text = std::move(report.log)] {
            return logs.append({.job_id = lease.job_id, .fence = lease.fence}, offset, text);
        };
    CO_TRY(const std::int64_t log_bytes, co_await net::run_on(with_.pool, std::move(store_log)));
    with_.event_signal.notify(report.job_id);
    co_return protocol::JobReportReply{
        .job_id = report.job_id,
        .action = renewal->cancel_requested ? "cancel" : "go_on",
        .log_bytes = log_bytes,
    };
}

net::Task<protocol::CompleteReply> Dispatcher::complete(
    protocol::CompleteRequest request, accounts::Principal principal
) {
    protocol::CompleteReply reply;
    for (protocol::Envelope& envelope : request.results) {
        CO_TRY(auto outcome, co_await take_result(std::move(envelope), principal));
        reply.results.push_back(std::move(outcome));
    }
    co_return reply;
}

net::Task<protocol::CompleteOutcome> Dispatcher::take_result(
    protocol::Envelope envelope, accounts::Principal principal
) {
    const std::string evidence = to_json(envelope);
    Result<JobResult> result = co_await open_envelope(std::move(envelope), std::move(principal));
    if (!result) {
        with_.counters.refused(result.error().code);
        co_return refusal("", result.error());
    }
    const std::string job_id = result->job_id;
    auto check = [&blobs = with_.blobs, result = *result] { return check_uploads(blobs, result); };
    const Status uploaded = co_await net::run_on(with_.blob_pool, std::move(check));
    if (!uploaded) {
        with_.counters.refused(uploaded.error().code);
        co_return refusal(job_id, uploaded.error());
    }
    CheckedResult checked{.result = *std::move(result), .envelope = evidence};
    auto apply = [this, checked = std::move(checked)](db::Tx& tx) mutable -> Result<TakenIn> {
        TRY(const JobId id, JobId::parse(checked.result.job_id));
        TRY(const Job job, job_store::get(tx, id, std::nullopt));
        checked.backoff = backoff(job.failures);
        const IntakeRules rules{leases_, activations_, with_.rate_card};
        TRY(EndedLease ended, take_in(tx, rules, checked));
        // What follows in a workflow is in the queue with this result, or neither is.
        TRY(WorkflowNews news, with_.workflows.advance(tx));
        return TakenIn{.lease = std::move(ended), .pool = job.pool, .news = std::move(news)};
    };
    const Result<TakenIn> taken = co_await with_.backend.write(std::move(apply));
    if (!taken) {
        with_.counters.refused(taken.error().code);
        co_return refusal(job_id, taken.error());
    }
    with_.counters.ended(taken->lease);
    with_.event_signal.notify(job_id);
    with_.workflows.tell(taken->news);
    with_.pool_signal.notify(taken->pool, 1);  // a returned job, or room under the tenant's limit
    co_return protocol::CompleteOutcome{.job_id = job_id};
}

net::Task<JobResult> Dispatcher::open_envelope(
    protocol::Envelope envelope, accounts::Principal principal
) {
    // The payload says who signed; only that worker's registered key is then believed.
    CO_TRY(const crypto::DsseEnvelope signed_result, fleet::from_message(envelope));
    CO_TRY(JobResult claimed, from_json<JobResult>(signed_result.payload));
    auto look_up = [worker_id = claimed.worker_id](db::Tx& tx) {
        return worker_store::get(tx, worker_id);
    };
    CO_TRY(const Worker worker, co_await with_.backend.read(std::move(look_up)));
    if (worker.tenant_id != principal.project_id || worker.membership == "revoked") {
        co_return Error::permission_denied("worker {} is not yours to speak for", worker.worker_id)
            .at("worker_id");
    }
    CO_TRY_STATUS(
        fleet::verify_signed_by(signed_result, protocol::kJobResultPayloadType, worker.public_key)
    );
    co_return claimed;
}

std::chrono::microseconds Dispatcher::backoff(int failures) const {
    // Full jitter: anything between nothing and the doubled, capped step.
    const auto doubled =
        options_.backoff_base * (std::int64_t{1} << std::min(failures, kDoublingsMax));
    const auto longest = std::min<std::chrono::microseconds>(doubled, options_.backoff_cap);
    return std::chrono::microseconds(static_cast<std::int64_t>(
        with_.random.uniform(static_cast<std::uint64_t>(longest.count()) + 1)
    ));
}

void Dispatcher::tell_of_lost(const std::vector<EndedLease>& lost) const {
    for (const EndedLease& lease : lost) {
        with_.counters.lost(lease);
        with_.event_signal.notify(lease.job_id.text());
    }
}

net::Task<void> Dispatcher::watch_leases() {
    while (true) {
        CO_TRY_STATUS(co_await net::sleep_for(options_.poll));
        auto apply = [leases = leases_,
                      &workflows = with_.workflows](db::Tx& tx) -> Result<TakenBack> {
            TakenBack taken;
            TRY(taken.lost, take_back(tx, leases));
            TRY(taken.news, workflows.advance(tx));
            return taken;
        };
        const auto taken = co_await with_.backend.write(std::move(apply));
        if (!taken) {
            continue;  // the disk may be full for a while; the leases stay ended whoever notices
        }
        tell_of_lost(taken->lost);
        with_.workflows.tell(taken->news);
        // Which pools they are of costs a look-up each; whoever waits in vain there waits one poll
        // longer.
    }
}

}  // namespace nexa::orchestration
