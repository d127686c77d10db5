// SPDX-License-Identifier: Apache-2.0
#include "worker/result_sender.h"

#include <utility>

#include "core/log.h"
#include "core/retry.h"

namespace nexa::worker {

namespace {

/// The lease ends the trying, not a count.
constexpr RetryPolicy kDeliveryPolicy{
    .attempts = 1'000'000,
    .base = std::chrono::milliseconds(200),
    .cap = std::chrono::seconds(10),
    .total_max = std::chrono::hours(24),
    .retries = [](ErrorCode) { return true; },
};
constexpr std::chrono::seconds kLeftoversPause{15};

}  // namespace

net::Task<protocol::CompleteOutcome> ResultSender::deliver(
    std::shared_ptr<HeldJob> job, protocol::Envelope result
) {
    const std::string lease = job->id().text();
    auto keep = [&outbox = with_.outbox, &lease, &result] { return outbox.keep(lease, result); };
    CO_TRY_STATUS(co_await net::run_on(with_.disk, std::move(keep)));
    net::Signal::Subscription changes = with_.signal.subscribe(lease);
    Backoff backoff(kDeliveryPolicy, with_.random, with_.clock.steady_now());
    while (!job->is_lost()) {
        const Result<protocol::CompleteOutcome> outcome = co_await send_once(lease, result);
        if (outcome && verdict_of(*outcome) != Verdict::kTryAgain) {
            co_return outcome;
        }
        const ErrorCode code = outcome ? ErrorCode::kUnavailable : outcome.error().code;
        const auto pause = backoff.next_delay(code, with_.clock.steady_now());
        if (!pause) {
            break;
        }
        CO_TRY_STATUS(co_await changes.wait(*pause));
    }
    if (job->stop_reason() == StopReason::kLost) {
        const Status dropped = co_await net::run_on(with_.disk, [&outbox = with_.outbox, &lease] {
            outbox.drop(lease);
        });
        static_cast<void>(dropped);
    }
    co_return Error::cancelled("the result of lease {} is not answered", lease);
}

net::Task<protocol::CompleteOutcome> ResultSender::send_once(
    std::string lease, protocol::Envelope result
) {
    protocol::CompleteRequest request;
    request.results.push_back(std::move(result));
    CO_TRY(protocol::CompleteReply reply, co_await with_.client.complete(request));
    if (reply.results.size() != 1) {
        co_return Error::internal("the server answered {} results for one", reply.results.size());
    }
    protocol::CompleteOutcome outcome = std::move(reply.results.front());
    if (verdict_of(outcome) != Verdict::kTryAgain) {
        const Status dropped = co_await net::run_on(with_.disk, [&outbox = with_.outbox, &lease] {
            outbox.drop(lease);
        });
        static_cast<void>(dropped);
    }
    co_return outcome;
}

net::Task<void> ResultSender::send_leftovers() {
    while (true) {
        const Status sent = co_await send_all_leftovers();
        if (!sent) {
            get_logger("worker").debug(
                "leftover results wait", {{"error", sent.error().to_string()}}
            );
        }
        CO_TRY_STATUS(co_await net::sleep_for(kLeftoversPause));
    }
}

net::Task<void> ResultSender::send_all_leftovers() {
    CO_TRY(const auto leases, co_await net::run_on(with_.disk, [&outbox = with_.outbox] {
               return outbox.list();
           }));
    for (const std::string& lease : leases) {
        if (with_.jobs.has(lease)) {
            continue;  // its own run sends it
        }
        auto load = [&outbox = with_.outbox, &lease] { return outbox.load(lease); };
        Result<protocol::Envelope> result = co_await net::run_on(with_.disk, std::move(load));
        if (!result) {
            CO_TRY_STATUS(co_await drop_damaged(lease, result.error().code));
            continue;
        }
        CO_TRY(
            const protocol::CompleteOutcome outcome, co_await send_once(lease, *std::move(result))
        );
        get_logger("worker").info(
            "leftover result answered", {{"lease", lease}, {"status", outcome.status}}
        );
    }
    co_return ok();
}

net::Task<void> ResultSender::drop_damaged(std::string lease, ErrorCode why) {
    if (why != ErrorCode::kMalformed && why != ErrorCode::kInvalidArgument) {
        co_return ok();  // it may be read another time
    }
    get_logger("worker").error("a kept result is damaged and dropped", {{"lease", lease}});
    auto drop = [&outbox = with_.outbox, &lease] { outbox.drop(lease); };
    co_return co_await net::run_on(with_.disk, std::move(drop));
}

}  // namespace nexa::worker
