// SPDX-License-Identifier: Apache-2.0
#include "orchestration/gateway_feed.h"

#include <algorithm>
#include <set>
#include <utility>

#include "billing/usage_store.h"
#include "core/json.h"
#include "crypto/dsse.h"
#include "fleet/envelope.h"
#include "orchestration/deploying.h"
#include "orchestration/deployment_store.h"
#include "orchestration/job_charge.h"

namespace nexa::orchestration {

namespace {

using protocol::Envelope;
using protocol::GatewayReport;
using protocol::GatewayReportReply;
using protocol::GatewayUsageReply;

/// What clients get told to call has to be something they can call.
Status check_url(std::string& url) {
    while (url.ends_with('/')) {
        url.pop_back();
    }
    const bool has_scheme = url.starts_with("http://") || url.starts_with("https://");
    const bool is_plain =
        std::ranges::all_of(url, [](char letter) { return letter > ' ' && letter < '\x7f'; });
    if (!has_scheme || !is_plain || url.ends_with(':')) {
        return Error::invalid_argument("must be an http or https URL")
            .at("url")
            .hint("give nexa-gateway the address that clients reach it at");
    }
    return {};
}

/// The jobs that no gateway took up, and what follows from that.
struct Overdue {
    std::vector<Job> jobs;
    WorkflowNews news;
};

Result<std::vector<Job>> read_jobs(db::Tx& tx, const std::vector<JobId>& job_ids) {
    std::vector<Job> jobs;
    for (const JobId& job_id : job_ids) {
        TRY(Job job, job_store::get(tx, job_id, std::nullopt));
        jobs.push_back(std::move(job));
    }
    return jobs;
}

}  // namespace

void GatewayFeed::tell_of_ended(const std::vector<Job>& ended) const {
    for (const Job& job : ended) {
        with_.counters.finished(job.job_type, job.status);
        with_.event_signal.notify(job.job_id.text());
    }
}

net::Task<Envelope> GatewayFeed::snapshot(SnapshotWish wish) {
    std::chrono::nanoseconds waited{0};
    while (true) {
        CO_TRY(const std::int64_t serial, co_await with_.backend.read([](db::Tx& tx) {
            return deployment_store::serial(tx);
        }));
        if (serial != wish.serial || waited >= wish.wait) {
            break;
        }
        const auto pause = std::min<std::chrono::nanoseconds>(options_.poll, wish.wait - waited);
        CO_TRY_STATUS(co_await net::sleep_for(pause));
        waited += pause;
    }
    auto look_up = [&key = with_.key,
                    region = std::move(wish.region)](db::Tx& tx) -> Result<Envelope> {
        TRY(const auto snapshot, deployment_store::snapshot(tx, region));
        return fleet::to_message(
            crypto::sign_dsse(protocol::kGatewaySnapshotPayloadType, to_json(snapshot), key)
        );
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<GatewayReportReply> GatewayFeed::report(GatewayReport report) {
    CO_TRY_STATUS(check_url(report.url));
    struct Taken {
        std::vector<Job> ended;
        GatewayReportReply reply;
        WorkflowNews news;
    };
    auto apply = [activations = activations_,
                  &rate_card = with_.rate_card,
                  report = std::move(report),
                  &workflows = with_.workflows](db::Tx& tx) -> Result<Taken> {
        Taken taken;
        TRY(const auto ended, take_in_report(tx, activations, rate_card, report));
        TRY(taken.ended, read_jobs(tx, ended));
        TRY(taken.news, workflows.advance(tx));
        TRY(taken.reply.serial, deployment_store::serial(tx));
        return taken;
    };
    CO_TRY(const Taken taken, co_await with_.backend.write(std::move(apply)));
    tell_of_ended(taken.ended);
    with_.workflows.tell(taken.news);
    co_return taken.reply;
}

net::Task<GatewayUsageReply> GatewayFeed::record_usage(protocol::GatewayUsage usage) {
    const auto count = static_cast<std::int64_t>(usage.lines.size());
    auto apply = [&rate_card = with_.rate_card, usage = std::move(usage)](db::Tx& tx) -> Status {
        std::set<std::pair<std::string, std::string>> payers;
        for (const protocol::GatewayUsageLine& line : usage.lines) {
            TRY_STATUS(billing::usage_store::record_inference(tx, rate_card, line));
            payers.emplace(line.project_id, line.key_id);
        }
        for (const auto& [project_id, key_id] : payers) {
            TRY_STATUS(note_budget_alerts(tx, project_id, key_id));
        }
        return {};
    };
    CO_TRY_STATUS(co_await with_.backend.write(std::move(apply)));
    co_return GatewayUsageReply{.taken = count};
}

net::Task<void> GatewayFeed::prolong_all() {
    while (true) {
        const Status prolonged =
            co_await with_.backend.write([activations = activations_](db::Tx& tx) {
                return activations.prolong(tx);
            });
        if (prolonged) {
            co_return ok();
        }
        log_.warning(
            "cannot give waiting deployments their time again",
            {{"error", prolonged.error().to_string()}}
        );
        CO_TRY_STATUS(co_await net::sleep_for(options_.overdue_poll));
    }
}

net::Task<void> GatewayFeed::watch_activations() {
    CO_TRY_STATUS(co_await prolong_all());
    while (true) {
        CO_TRY_STATUS(co_await net::sleep_for(options_.overdue_poll));
        auto apply = [activations = activations_,
                      &workflows = with_.workflows](db::Tx& tx) -> Result<Overdue> {
            TRY(const auto ended, end_overdue(tx, activations));
            Overdue overdue;
            TRY(overdue.jobs, read_jobs(tx, ended));
            TRY(overdue.news, workflows.advance(tx));
            return overdue;
        };
        const auto overdue = co_await with_.backend.write(std::move(apply));
        if (!overdue) {
            continue;  // the disk may be full for a while; they stay overdue
        }
        tell_of_ended(overdue->jobs);
        with_.workflows.tell(overdue->news);
    }
}

}  // namespace nexa::orchestration
