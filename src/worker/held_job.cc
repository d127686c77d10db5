// SPDX-License-Identifier: Apache-2.0
#include "worker/held_job.h"

#include <algorithm>
#include <utility>

namespace nexa::worker {

namespace {

/// The last bytes of a log that may be the start of a character: no news before there are more.
constexpr std::int64_t kCutCharacterMax = 3;

}  // namespace

std::string LeaseId::text() const {
    return fmt::format("{}.{}", job_id, fence);
}

Result<std::shared_ptr<HeldJob>> HeldJob::make(LeaseId id, LeaseWatch lease, net::Signal& signal) {
    TRY(Pipe pipe, make_pipe());
    return std::make_shared<HeldJob>(std::move(id), lease, signal, std::move(pipe));
}

void HeldJob::announce() const {
    signal_.notify(std::string(kReportSignal));
    signal_.notify(id_.text());
}

void HeldJob::add_event(protocol::EngineEvent event) {
    {
        const Lock lock(mutex_);
        events_.add(std::move(event));
    }
    announce();
}

void HeldJob::log_is_at(const std::filesystem::path& path) {
    const Lock lock(mutex_);
    log_ = path;
}

void HeldJob::log_has(std::int64_t bytes) {
    bool has_news = false;
    {
        const Lock lock(mutex_);
        log_bytes_ = log_.empty() ? log_bytes_ : std::max(log_bytes_, bytes);
        has_news = has_news_locked();
    }
    if (has_news) {
        announce();
    }
}

void HeldJob::engine_ended() {
    {
        const Lock lock(mutex_);
        engine_ended_ = true;
    }
    announce();
}

HeldJob::Pending HeldJob::pending(std::size_t event_bytes_max) {
    const Lock lock(mutex_);
    EventQueue::Batch batch = events_.front(event_bytes_max);
    Pending pending{
        .report =
            {.job_id = id_.job_id,
             .fence = id_.fence,
             .events = std::move(batch.events),
             .first_event = batch.first,
             .log_offset = log_stored_},
        .event_mark = batch.mark,
        .log_is_whole = engine_ended_,
    };
    if (log_stored_ < log_bytes_) {
        pending.log = log_;
    }
    return pending;
}

bool HeldJob::has_news_locked() const {
    const std::int64_t unsent = log_bytes_ - log_stored_;
    return !events_.empty() || unsent > (engine_ended_ ? 0 : kCutCharacterMax);
}

bool HeldJob::has_news() const {
    const Lock lock(mutex_);
    return has_news_locked();
}

void HeldJob::reported(
    const Pending& sent, const protocol::JobReportReply& reply, SteadyTime asked_at
) {
    if (reply.action == "lost") {
        stop(StopReason::kLost);
        return;
    }
    {
        const Lock lock(mutex_);
        lease_.renewed(asked_at);
        events_.drop_through(sent.event_mark);
        log_stored_ = std::max<std::int64_t>(reply.log_bytes, 0);
    }
    if (reply.action == "cancel") {
        stop(StopReason::kCancelled);
    }
    signal_.notify(id_.text());
}

void HeldJob::discard(const Pending& sent) {
    {
        const Lock lock(mutex_);
        events_.drop_through(sent.event_mark);
        log_bytes_ = std::min(log_bytes_, log_stored_);
        log_.clear();  // a hole would be refused for ever: the log ends here
    }
    signal_.notify(id_.text());
}

void HeldJob::stop(StopReason reason) {
    {
        const Lock lock(mutex_);
        stop_reason_ = std::max(stop_reason_, reason);
        stop_pipe_.write_end.reset();
    }
    cancel_.cancel();
    announce();
}

bool HeldJob::fence_if_over(SteadyTime now) {
    {
        const Lock lock(mutex_);
        if (!lease_.is_over(now)) {
            return false;
        }
        if (stop_reason_ >= StopReason::kFenced) {
            return true;
        }
    }
    stop(StopReason::kFenced);
    return true;
}

StopReason HeldJob::stop_reason() const {
    const Lock lock(mutex_);
    return stop_reason_;
}

SteadyTime HeldJob::fence_at() const {
    const Lock lock(mutex_);
    return lease_.fence_at();
}

std::chrono::milliseconds HeldJob::lease() const {
    const Lock lock(mutex_);
    return lease_.lease();
}

void HeldJobs::add(std::shared_ptr<HeldJob> job) {
    const Lock lock(mutex_);
    jobs_.push_back(std::move(job));
}

void HeldJobs::remove(const LeaseId& id) {
    const Lock lock(mutex_);
    std::erase_if(jobs_, [&](const auto& job) { return job->id() == id; });
}

std::vector<std::shared_ptr<HeldJob>> HeldJobs::all() const {
    const Lock lock(mutex_);
    return jobs_;
}

bool HeldJobs::has(const std::string& lease_text) const {
    const Lock lock(mutex_);
    return std::ranges::any_of(jobs_, [&](const auto& job) {
        return job->id().text() == lease_text;
    });
}

std::size_t HeldJobs::size() const {
    const Lock lock(mutex_);
    return jobs_.size();
}

}  // namespace nexa::worker
