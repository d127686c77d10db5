// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "billing/rate_card.h"
#include "core/random.h"
#include "crypto/dsse.h"
#include "crypto/ed25519.h"
#include "net/signal.h"
#include "net/task.h"
#include "orchestration/activations.h"
#include "orchestration/backend.h"
#include "orchestration/job_counters.h"
#include "orchestration/job_logs.h"
#include "orchestration/job_store.h"
#include "orchestration/leases.h"
#include "orchestration/workflow_driver.h"
#include "protocol/envelope.h"
#include "protocol/lease_messages.h"
#include "protocol/result_messages.h"
#include "storage/blob_vault.h"

namespace nexa::orchestration {

struct CheckedResult;

struct DispatcherOptions {
    LeaseOptions lease;
    ActivationOptions activation;
    /// A waiting worker looks again this often even if nobody told it to: a wake-up may have gone
    /// to one it did not fit.
    std::chrono::milliseconds poll = std::chrono::seconds{1};
    std::chrono::milliseconds backoff_base = std::chrono::seconds{2};
    std::chrono::milliseconds backoff_cap = std::chrono::minutes{10};
};

/// What workers ask of the control plane: jobs, renewals, results. Every change of state is one of
/// Leases' guarded statements; this class carries requests to the writer and tells who waits.
/// Thread-safe; collaborators outlive it.
class Dispatcher {
public:
    struct Collaborators {
        Backend backend;
        net::WorkPool& pool;
        Random& random;
        const crypto::Ed25519PrivateKey& key;  ///< the coordinator's: signs job specs
        storage::BlobVault& blobs;
        net::WorkPool& blob_pool;  ///< waits for the blobs' disk or store
        const JobLogs& logs;
        net::Signal& pool_signal;   ///< by pool: a job can be claimed
        net::Signal& event_signal;  ///< by job id: it has news
        const billing::RateCard& rate_card;
        const JobCounters& counters;
        const WorkflowDriver& workflows;
    };
    Dispatcher(Collaborators with, DispatcherOptions options)
        : with_(with),
          leases_(options.lease),
          activations_(options.activation),
          options_(options) {}

    /// Jobs for a worker, each as a spec signed for it; waits up to `wait_seconds` for the first.
    /// Empty if none came, or if the worker is cordoned, draining or not well. Errors: kNotFound
    /// (not registered), kPermissionDenied (not the caller's worker, or revoked).
    net::Task<protocol::NextJobReply> next_jobs(
        protocol::NextJobRequest request, accounts::Principal principal
    );

    /// Renews leases and takes in events and logs. A job whose lease is lost is answered "lost";
    /// the others go on.
    net::Task<protocol::ReportReply> report(
        protocol::ReportRequest request, accounts::Principal principal
    );

    /// Takes signed results, each judged by itself: signature, fence, uploaded files. Those of one
    /// request are committed together.
    net::Task<protocol::CompleteReply> complete(
        protocol::CompleteRequest request, accounts::Principal principal
    );

    /// Takes back leases that ran out and wakes who may have their jobs. Runs until cancelled.
    net::Task<void> watch_leases();

    const LeaseOptions& lease_options() const { return leases_.options(); }

private:
    struct TakenIn;
    struct Claimed {
        std::string pool;  ///< the worker's
        std::vector<protocol::JobSpec> specs;
        std::vector<EndedLease> lost;  ///< taken back on the way
        bool drain = false;            ///< the worker was told to end
        bool takes_jobs = false;       ///< it may be given some
        WorkflowNews news;
    };

    void tell_of_lost(const std::vector<EndedLease>& lost) const;
    net::Task<Claimed> claim(protocol::NextJobRequest request, accounts::Principal principal);
    net::Task<protocol::JobReportReply> take_report(
        std::string worker_id, protocol::JobReport report
    );
    std::function<Result<TakenIn>(db::Tx&)> intake_of(CheckedResult checked) const;
    protocol::CompleteOutcome tell_of(const std::string& job_id, const Result<TakenIn>& taken)
        const;
    net::Task<std::vector<protocol::LeasedJob>> sign_all(std::vector<protocol::JobSpec> specs);
    std::chrono::microseconds backoff(int failures) const;

    Collaborators with_;
    Leases leases_;
    Activations activations_;
    DispatcherOptions options_;
};

}  // namespace nexa::orchestration
