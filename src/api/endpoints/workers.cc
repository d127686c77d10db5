// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/workers.h"

#include "api/authenticator.h"
#include "api/blob_response.h"
#include "api/rows.h"

namespace nexa::api {

namespace {

using net::Method;
using orchestration::WorkerChange;

constexpr Noun kNoun{
    .tag = "workers", .read_scope = "workers:write", .write_scope = "workers:write"
};

constexpr std::size_t kReportBytesMax = std::size_t{8} << 20;
constexpr std::size_t kResultBytesMax = std::size_t{32} << 20;
/// The longest a worker may wait for a job, and a little.
constexpr std::chrono::seconds kLongPoll{75};

net::Route order_row(Method method, std::string below, std::string word, std::string summary) {
    constexpr Noun kOrders{
        .tag = "workers", .read_scope = "workers:read", .write_scope = "fleet:write"
    };
    net::Route route =
        row(kOrders,
            {method,
             "/api/workers/{worker_id}" + std::move(below),
             "workers_" + std::move(word),
             std::move(summary)});
    route.body_bytes_max = kIgnoredBodyMax;
    return route;
}

net::Route with_body(net::Route route, std::size_t bytes_max) {
    route.body_bytes_max = bytes_max;
    return route;
}

net::Route blob_row() {
    net::Route route =
        row(kNoun,
            {Method::kGet,
             "/api/workers/blobs/{digest}",
             "workers_get_blob",
             "Fetch an input by its hash"});
    route.response = {.name = "Blob", .schema = {}, .content_type = "application/octet-stream"};
    return route;
}

net::Route blob_upload_row() {
    return upload(
        row(kNoun,
            {Method::kPut,
             "/api/workers/blobs/{digest}",
             "workers_put_blob",
             "Upload an output under its hash"})
    );
}

}  // namespace

std::vector<net::Route> WorkerEndpoints::routes() {
    net::Route list_row =
        row(kNoun,
            {Method::kGet, "/api/workers", "workers_list", "List the workers of your project"});
    list_row.scope = "workers:read";
    const net::Route list_alias = alias(list_row, "/api/workers/");
    net::Route next_row =
        row(kNoun, {Method::kPost, "/api/workers/next_job", "workers_next_job", "Ask for jobs"});
    next_row.time_max = kLongPoll;
    next_row.cancel_when_client_goes = true;
    net::Route get_row = blob_row();
    get_row.handler = bound(*this, &WorkerEndpoints::get_blob);
    net::Route put_row = blob_upload_row();
    put_row.handler = bound(*this, &WorkerEndpoints::put_blob);
    return {
        net::typed(
            row(kNoun,
                {Method::kPost,
                 "/api/workers/register",
                 "workers_register",
                 "Register a worker with proof of its key"}),
            *this,
            &WorkerEndpoints::add
        ),
        net::typed(
            row(kNoun,
                {Method::kPost,
                 "/api/workers/heartbeat",
                 "workers_heartbeat",
                 "Say that a worker is there"}),
            *this,
            &WorkerEndpoints::heartbeat
        ),
        net::typed(next_row, *this, &WorkerEndpoints::next_job),
        net::typed(
            with_body(
                row(kNoun,
                    {Method::kPost,
                     "/api/workers/report",
                     "workers_report",
                     "Renew leases, send events and logs"}),
                kReportBytesMax
            ),
            *this,
            &WorkerEndpoints::report
        ),
        net::typed(
            with_body(
                row(kNoun,
                    {Method::kPost,
                     "/api/workers/complete",
                     "workers_complete",
                     "Send signed results"}),
                kResultBytesMax
            ),
            *this,
            &WorkerEndpoints::complete
        ),
        net::typed(list_row, *this, &WorkerEndpoints::list),
        net::typed(list_alias, *this, &WorkerEndpoints::list),
        net::typed(
            order_row(Method::kGet, "", "get", "Read one worker"), *this, &WorkerEndpoints::get
        ),
        net::typed(
            order_row(
                Method::kPost,
                "/cordon",
                "cordon",
                "Give a worker no more jobs; those it holds go on"
            ),
            *this,
            &WorkerEndpoints::cordon
        ),
        net::typed(
            order_row(Method::kPost, "/uncordon", "uncordon", "Give a worker jobs again"),
            *this,
            &WorkerEndpoints::uncordon
        ),
        net::typed(
            order_row(
                Method::kPost,
                "/drain",
                "drain",
                "Let a worker finish the jobs it holds, and end; started anew it is back"
            ),
            *this,
            &WorkerEndpoints::drain
        ),
        net::typed(
            order_row(
                Method::kDelete,
                "",
                "remove",
                "Remove a worker for good; its jobs go back to the queue at once"
            ),
            *this,
            &WorkerEndpoints::remove
        ),
        std::move(get_row),
        std::move(put_row),
        net::typed(
            row(kNoun,
                {Method::kPost,
                 "/api/workers/blobs/{digest}/plan",
                 "workers_plan_blob",
                 "Ask where to put an output: here, or past us into the store"}),
            *this,
            &WorkerEndpoints::plan_blob
        ),
    };
}

net::Task<protocol::RegisterReply> WorkerEndpoints::add(
    net::Call call, protocol::Envelope envelope
) {
    CO_TRY(
        const auto worker,
        co_await with_.workers.add(std::move(envelope), principal_of(call.principal))
    );
    const auto lease = with_.dispatcher.lease_options().lease;
    co_return protocol::RegisterReply{
        .worker_id = worker.worker_id,
        .status = worker.membership,
        .coordinator_key = with_.coordinator_key,
        .lease_seconds = std::chrono::duration_cast<std::chrono::seconds>(lease).count(),
    };
}

net::Task<protocol::HeartbeatReply> WorkerEndpoints::heartbeat(
    net::Call call, protocol::Heartbeat heartbeat
) {
    CO_TRY(
        const auto worker,
        co_await with_.workers.see(std::move(heartbeat), principal_of(call.principal))
    );
    co_return protocol::HeartbeatReply{
        .worker_id = worker.worker_id,
        .status = worker.membership,
        .server_time = to_rfc3339(worker.last_seen_at),
    };
}

net::Task<protocol::NextJobReply> WorkerEndpoints::next_job(
    net::Call call, protocol::NextJobRequest request
) {
    co_return co_await with_.dispatcher.next_jobs(std::move(request), principal_of(call.principal));
}

net::Task<protocol::ReportReply> WorkerEndpoints::report(
    net::Call call, protocol::ReportRequest request
) {
    co_return co_await with_.dispatcher.report(std::move(request), principal_of(call.principal));
}

net::Task<protocol::CompleteReply> WorkerEndpoints::complete(
    net::Call call, protocol::CompleteRequest request
) {
    co_return co_await with_.dispatcher.complete(std::move(request), principal_of(call.principal));
}

net::Task<protocol::WorkerList> WorkerEndpoints::list(net::Call call) {
    CO_TRY(auto workers, co_await with_.workers.list(principal_of(call.principal)));
    co_return protocol::WorkerList{.data = std::move(workers)};
}

net::Task<protocol::WorkerView> WorkerEndpoints::get(net::Call call) {
    co_return co_await with_.workers.get(call.parameter("worker_id"), principal_of(call.principal));
}

net::Task<protocol::WorkerView> WorkerEndpoints::cordon(net::Call call) {
    return change(std::move(call), WorkerChange::kCordon);
}

net::Task<protocol::WorkerView> WorkerEndpoints::uncordon(net::Call call) {
    return change(std::move(call), WorkerChange::kUncordon);
}

net::Task<protocol::WorkerView> WorkerEndpoints::drain(net::Call call) {
    return change(std::move(call), WorkerChange::kDrain);
}

net::Task<protocol::WorkerView> WorkerEndpoints::remove(net::Call call) {
    return change(std::move(call), WorkerChange::kRemove);
}

net::Task<protocol::WorkerView> WorkerEndpoints::change(net::Call call, WorkerChange change) {
    co_return co_await with_.workers.change(
        call.parameter("worker_id"), change, principal_of(call.principal)
    );
}

net::Task<net::Response> WorkerEndpoints::get_blob(net::Request request) {
    co_return co_await send_blob(with_.artifacts, with_.pool, std::move(request));
}

net::Task<protocol::UploadPlan> WorkerEndpoints::plan_blob(
    net::Call call, protocol::UploadWish wish
) {
    co_return co_await with_.artifacts.plan_upload(call.parameter("digest"), std::nullopt, wish);
}

net::Task<net::Response> WorkerEndpoints::put_blob(net::Request request) {
    CO_TRY_STATUS(
        co_await with_.artifacts.upload(request.parameter("digest"), std::nullopt, request.stream)
    );
    co_return net::Response::empty(204);
}

}  // namespace nexa::api
