// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/file.h"
#include "core/mutex.h"
#include "core/result.h"
#include "net/signal.h"
#include "protocol/lease_messages.h"
#include "worker/event_queue.h"
#include "worker/lease_watch.h"

namespace nexa::worker {

/// Names one lease.
struct LeaseId {
    std::string job_id;
    std::int64_t fence = 0;

    /// "job_0199….7": names the job's folder and its result in the outbox.
    std::string text() const;
    friend bool operator==(const LeaseId&, const LeaseId&) = default;
};

/// Why a job is not to go on; a later one in this list overrules an earlier.
enum class StopReason : std::uint8_t {
    kNone,
    kDrained,    ///< the worker shuts down: give the job back
    kCancelled,  ///< the server asked: complete as cancelled
    kFenced,     ///< no renewal came through for as long as the lease holds: somebody else may have
                 ///< the job
    kLost,       ///< the server says that the lease is lost: forget the job
};

/// The key under which the reporter listens in the worker's Signal; a job's own key is its
/// LeaseId::text().
inline constexpr std::string_view kReportSignal = "report";

/// One leased job as its engine, its run and the reporter see it: what is to be reported, how long
/// the lease holds, and whether to stop. Thread-safe.
class HeldJob {
public:
    /// `signal` outlives it. Errors: those of a pipe.
    static Result<std::shared_ptr<HeldJob>> make(LeaseId id, LeaseWatch lease, net::Signal& signal);
    HeldJob(LeaseId id, LeaseWatch lease, net::Signal& signal, Pipe stop_pipe)
        : id_(std::move(id)), signal_(signal), lease_(lease), stop_pipe_(std::move(stop_pipe)) {}

    const LeaseId& id() const { return id_; }

    // What the engine says.
    void add_event(protocol::EngineEvent event);
    void log_is_at(const std::filesystem::path& path);
    void log_has(std::int64_t bytes);
    void engine_ended();

    /// A part of what is to be reported.
    struct Pending {
        protocol::JobReport report;  ///< its log is still to be read
        std::int64_t event_mark = 0;
        std::filesystem::path log;  ///< empty: nothing to read
        bool log_is_whole = false;
    };
    Pending pending(std::size_t event_bytes_max);
    bool has_news() const;
    /// The server has answered `sent`, which was asked at `asked_at`.
    void reported(const Pending& sent, const protocol::JobReportReply& reply, SteadyTime asked_at);
    /// The server refused `sent` for what it holds: it would refuse it again, so it is given up.
    void discard(const Pending& sent);

    void stop(StopReason reason);
    /// Stops as kFenced if the lease is over. True if so.
    bool fence_if_over(SteadyTime now);
    StopReason stop_reason() const;
    /// Whether the lease is no longer ours.
    bool is_lost() const { return stop_reason() >= StopReason::kFenced; }
    /// Cancelled by the first stop().
    CancelToken token() const { return cancel_.token(); }
    /// Readable once stopped: for poll loops. Stays ours.
    int stop_fd() const { return stop_pipe_.read_end.get(); }

    SteadyTime fence_at() const;
    std::chrono::milliseconds lease() const;

private:
    bool has_news_locked() const NEXA_REQUIRES(mutex_);
    void announce() const;

    const LeaseId id_;
    net::Signal& signal_;
    CancelSource cancel_;
    mutable Mutex mutex_;
    LeaseWatch lease_ NEXA_GUARDED_BY(mutex_);
    StopReason stop_reason_ NEXA_GUARDED_BY(mutex_) = StopReason::kNone;
    EventQueue events_ NEXA_GUARDED_BY(mutex_);
    std::filesystem::path log_ NEXA_GUARDED_BY(mutex_);
    std::int64_t log_bytes_ NEXA_GUARDED_BY(mutex_) = 0;
    std::int64_t log_stored_ NEXA_GUARDED_BY(mutex_) = 0;
    bool engine_ended_ NEXA_GUARDED_BY(mutex_) = false;
    Pipe stop_pipe_;  // its write end goes with the first stop, under the mutex
};

/// The jobs that this worker holds now. Thread-safe.
class HeldJobs {
public:
    void add(std::shared_ptr<HeldJob> job);
    void remove(const LeaseId& id);
    std::vector<std::shared_ptr<HeldJob>> all() const;
    bool has(const std::string& lease_text) const;
    std::size_t size() const;

private:
    mutable Mutex mutex_;
    std::vector<std::shared_ptr<HeldJob>> jobs_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::worker
