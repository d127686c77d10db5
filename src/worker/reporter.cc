// SPDX-License-Identifier: Apache-2.0
#include "worker/reporter.h"

#include <algorithm>
#include <utility>

#include "core/log.h"
#include "worker/log_part.h"

namespace nexa::worker {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdleWait{1'000};
constexpr milliseconds kCallTimeMin{500};
/// Of all texts in one report, before JSON's escapes: servers take bodies of a megabyte.
constexpr std::size_t kReportBytesMax = 256 * 1024;
constexpr std::size_t kPartBytesMin = 2 * 1024;

SteadyTime first_fence(const std::vector<std::shared_ptr<HeldJob>>& jobs) {
    SteadyTime first = SteadyTime::max();
    for (const auto& job : jobs) {
        first = std::min(first, job->fence_at());
    }
    return first;
}

milliseconds shortest_lease(const std::vector<std::shared_ptr<HeldJob>>& jobs) {
    milliseconds shortest = milliseconds::max();
    for (const auto& job : jobs) {
        shortest = std::min(shortest, job->lease());
    }
    return shortest;
}

/// A log that cannot be read costs its lines, not the lease.
void read_logs(std::vector<HeldJob::Pending>& parts, std::size_t bytes_max) {
    for (HeldJob::Pending& part : parts) {
        if (part.log.empty()) {
            continue;
        }
        auto text = read_log_part(part.log, part.report.log_offset, bytes_max, part.log_is_whole);
        if (text) {
            part.report.log = *std::move(text);
        } else {
            get_logger("worker").warning(
                "log not reported",
                {{"job_id", part.report.job_id}, {"error", text.error().to_string()}}
            );
        }
    }
}

}  // namespace

Reporter::Jobs Reporter::live_jobs() const {
    Jobs jobs = with_.jobs.all();
    const SteadyTime now = with_.clock.steady_now();
    std::erase_if(jobs, [&](const auto& job) { return job->is_lost() || job->fence_if_over(now); });
    return jobs;
}

net::Task<void> Reporter::run() {
    net::Signal::Subscription news = with_.signal.subscribe(std::string(kReportSignal));
    while (true) {
        Jobs jobs = live_jobs();
        if (jobs.empty()) {
            CO_TRY_STATUS(co_await news.wait(kIdleWait));
            continue;
        }
        const SteadyTime now = with_.clock.steady_now();
        const bool has_news =
            std::ranges::any_of(jobs, [](const auto& job) { return job->has_news(); });
        const SteadyTime next =
            std::min(pace_.next_at(shortest_lease(jobs), has_news), first_fence(jobs));
        if (now < next) {
            CO_TRY_STATUS(co_await news.wait(next - now));
            continue;
        }
        CO_TRY_STATUS(co_await report(std::move(jobs)));
    }
}

net::Task<void> Reporter::report(Jobs jobs) {
    const std::size_t share = std::max(kPartBytesMin, kReportBytesMax / jobs.size() / 2);
    Parts parts;
    for (const auto& job : jobs) {
        parts.push_back(job->pending(share));
    }
    CO_TRY_STATUS(co_await net::run_on(with_.disk, [&parts, share] { read_logs(parts, share); }));
    protocol::ReportRequest request{.worker_id = worker_id_};
    for (const HeldJob::Pending& part : parts) {
        request.jobs.push_back(part.report);
    }
    const SteadyTime asked_at = with_.clock.steady_now();
    pace_.sent(asked_at);
    // An answer that comes after the fence is worth nothing, and several tries should fit before
    // it.
    const auto until_fence = std::chrono::duration_cast<milliseconds>(first_fence(jobs) - asked_at);
    const milliseconds time_max =
        std::max(kCallTimeMin, std::min(shortest_lease(jobs) / 3, until_fence));
    const auto reply = co_await with_.client.report(request, time_max);
    if (reply) {
        take_answer(jobs, parts, *reply, asked_at);
    } else {
        take_failure(jobs, parts, reply.error());
    }
    co_return ok();
}

void Reporter::take_answer(
    const Jobs& jobs, const Parts& parts, const protocol::ReportReply& reply, SteadyTime asked_at
) {
    pace_.succeeded();
    const std::size_t count = std::min(jobs.size(), reply.jobs.size());
    for (std::size_t i = 0; i < count; ++i) {
        if (reply.jobs[i].job_id == jobs[i]->id().job_id) {
            jobs[i]->reported(parts[i], reply.jobs[i], asked_at);
        }
    }
}

void Reporter::take_failure(const Jobs& jobs, const Parts& parts, const Error& error) {
    pace_.failed();
    get_logger("worker").warning(
        "report failed", {{"jobs", jobs.size()}, {"error", error.to_string()}}
    );
    if (error.code != ErrorCode::kMalformed && error.code != ErrorCode::kInvalidArgument) {
        return;
    }
    // One bad event must not cost the leases of all: the next report goes without.
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i]->discard(parts[i]);
    }
}

}  // namespace nexa::worker
