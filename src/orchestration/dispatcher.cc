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

/// A result as it came, and what a look at it alone has found.
struct Arrival {
    std::string job_id;  ///< empty if the envelope could not be believed
    Result<CheckedResult> checked;
};

/// Judges the results of one request: who signed, and whether their files are there. Blocking.
class Arrivals {
public:
    Arrivals(
        db::Database& database, storage::BlobVault& blobs, const accounts::Principal& principal
    )
        : database_(database), blobs_(blobs), principal_(principal) {}

    Arrival check(const protocol::Envelope& envelope) {
        auto result = open(envelope);
        if (!result) {
            return {.job_id = {}, .checked = std::move(result).error()};
        }
        std::string job_id = result->job_id;
        const Status uploaded = check_uploads(blobs_, *result);
        if (!uploaded) {
            return {.job_id = std::move(job_id), .checked = uploaded.error()};
        }
        return {
            .job_id = std::move(job_id),
            .checked = CheckedResult{.result = *std::move(result), .envelope = to_json(envelope)},
        };
    }

private:
    Result<JobResult> open(const protocol::Envelope& envelope) {
        // The payload says who signed; only that worker's registered key is then believed.
        TRY(const crypto::DsseEnvelope signed_result, fleet::from_message(envelope));
        TRY(JobResult claimed, from_json<JobResult>(signed_result.payload));
        TRY(const Worker* const worker, find(claimed.worker_id));
        if (worker->tenant_id != principal_.project_id || worker->membership == "revoked") {
            return Error::permission_denied(
                       "worker {} is not yours to speak for", worker->worker_id
            )
                .at("worker_id");
        }
        TRY_STATUS(fleet::verify_signed_by(
            signed_result, protocol::kJobResultPayloadType, worker->public_key
        ));
        return claimed;
    }

    /// A request mostly brings the results of one worker: looked up once.
    Result<const Worker*> find(const std::string& worker_id) {
        if (!last_ || last_->worker_id != worker_id) {
            TRY(last_,
                database_.read([&](db::Tx& tx) { return worker_store::get(tx, worker_id); }));
        }
        return &*last_;
    }

    db::Database& database_;
    storage::BlobVault& blobs_;
    const accounts::Principal& principal_;
    std::optional<Worker> last_;
};

}  // namespace

net::Task<protocol::NextJobReply> Dispatcher::next_jobs(
    protocol::NextJobRequest request, accounts::Principal principal
) {
    const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(request.wait_seconds)
    );
    std::chrono::nanoseconds waited{0};
    std::optional<net::Signal::Subscription> subscription;
    std::string key;
    bool notified = false;
    while (true) {
        CO_TRY(Claimed claimed, co_await claim(request, principal));
        if (claimed.drain && std::exchange(notified, false) && key == claimed.pool) {
            with_.pool_signal.notify(claimed.pool, 1);  // the wake-up was another's
        }
        if (!claimed.specs.empty() || claimed.drain || waited >= wait) {
            protocol::NextJobReply reply{.drain = claimed.drain};
            if (!claimed.specs.empty()) {
                CO_TRY(reply.jobs, co_await sign_all(std::move(claimed.specs)));
            }
            co_return reply;
        }
        // Who may be given no job stands in no pool's line: a wake-up there is another's, and would
        // only make it look in vain.
        if (std::string wanted = claimed.takes_jobs ? claimed.pool : order_key(request.worker_id);
            key != wanted) {
            subscription.reset();
            if (std::exchange(notified, false) && key == claimed.pool) {
                with_.pool_signal.notify(claimed.pool, 1);
            }
            key = std::move(wanted);
            subscription.emplace(with_.pool_signal, key);
            continue;  // what came just before we listened is found by one more look
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
        Claimed claimed{.pool = worker.pool};
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

net::Task<std::vector<protocol::LeasedJob>> Dispatcher::sign_all(std::vector<JobSpec> specs) {
    const std::chrono::duration<double> lease = leases_.options().lease;
    auto sign = [&key = with_.key, lease, specs = std::move(specs)] {
        std::vector<protocol::LeasedJob> jobs;
        jobs.reserve(specs.size());
        for (const JobSpec& spec : specs) {
            jobs.push_back({
                .job_id = spec.job_id,
                .fence = spec.fence,
                .lease_seconds = lease.count(),
                .spec = fleet::to_message(
                    crypto::sign_dsse(protocol::kJobSpecPayloadType, to_json(spec), key)
                ),
            });
        }
        return jobs;
    };
    // Many signatures would hold up whatever else the io threads do.
    co_return co_await net::run_on(with_.pool, std::move(sign));
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

struct Dispatcher::TakenIn {
    EndedLease lease;
    std::string pool;
    WorkflowNews news;
};

net::Task<protocol::CompleteReply> Dispatcher::complete(
    protocol::CompleteRequest request, accounts::Principal principal
) {
    auto check = [&database = with_.backend.database,
                  &blobs = with_.blobs,
                  envelopes = std::move(request.results),
                  principal = std::move(principal)] {
        Arrivals arrivals(database, blobs, principal);
        std::vector<Arrival> checked;
        checked.reserve(envelopes.size());
        for (const protocol::Envelope& envelope : envelopes) {
            checked.push_back(arrivals.check(envelope));
        }
        return checked;
    };
    CO_TRY(auto arrivals, co_await net::run_on(with_.blob_pool, std::move(check)));
    // Each is an entry of its own, and all share a transaction: one sync for the whole request.
    std::vector<std::function<Result<TakenIn>(db::Tx&)>> intakes;
    for (Arrival& arrival : arrivals) {
        if (arrival.checked) {
            intakes.push_back(intake_of(*std::move(arrival.checked)));
        }
    }
    CO_TRY(const auto taken, co_await with_.backend.write_all(std::move(intakes)));
    protocol::CompleteReply reply;
    auto next = taken.begin();
    for (const Arrival& arrival : arrivals) {
        reply.results.push_back(
            arrival.checked ? tell_of(arrival.job_id, *next++)
                            : tell_of(arrival.job_id, arrival.checked.error())
        );
    }
    co_return reply;
}

std::function<Result<Dispatcher::TakenIn>(db::Tx&)> Dispatcher::intake_of(CheckedResult checked
) const {
    return [this, checked = std::move(checked)](db::Tx& tx) mutable -> Result<TakenIn> {
        TRY(const JobId id, JobId::parse(checked.result.job_id));
        TRY(const Job job, job_store::get(tx, id, std::nullopt));
        checked.backoff = backoff(job.failures);
        const IntakeRules rules{leases_, activations_, with_.rate_card};
        TRY(EndedLease ended, take_in(tx, rules, job, checked));
        // What follows in a workflow is in the queue with this result, or neither is.
        TRY(WorkflowNews news, with_.workflows.advance(tx));
        return TakenIn{.lease = std::move(ended), .pool = job.pool, .news = std::move(news)};
    };
}

protocol::CompleteOutcome Dispatcher::tell_of(
    const std::string& job_id, const Result<TakenIn>& taken
) const {
    if (!taken) {
        with_.counters.refused(taken.error().code);
        return refusal(job_id, taken.error());
    }
    with_.counters.ended(taken->lease);
    with_.event_signal.notify(job_id);
    with_.workflows.tell(taken->news);
    with_.pool_signal.notify(taken->pool, 1);  // a returned job, or room under the tenant's limit
    return {.job_id = job_id};
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
