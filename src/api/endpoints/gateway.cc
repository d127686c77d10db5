// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/gateway.h"

#include "api/blob_response.h"
#include "api/query.h"
#include "api/rows.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{
    .tag = "gateway", .read_scope = "gateway:read", .write_scope = "gateway:write"
};

constexpr std::int64_t kWaitSecondsMax = 60;
/// The longest wait, and a little.
constexpr std::chrono::seconds kLongPoll{75};
constexpr std::size_t kReportBytesMax = std::size_t{8} << 20;
constexpr std::size_t kUsageBytesMax = std::size_t{4} << 20;
constexpr std::size_t kRegionLengthMax = 64;

Result<orchestration::SnapshotWish> wish_of(const net::Call& call) {
    const net::Query& query = call.head->query;
    const auto region = text_parameter(query, "region");
    if (!region || region->size() > kRegionLengthMax) {
        return Error::invalid_argument("must have 1 to {} characters", kRegionLengthMax)
            .at("region");
    }
    orchestration::SnapshotWish wish{.region = *region};
    TRY(wish.serial, integer_parameter(query, "serial", {.least = 0, .greatest = INT64_MAX}));
    TRY(const auto seconds,
        integer_parameter(query, "wait_seconds", {.least = 0, .greatest = kWaitSecondsMax}));
    wish.wait = std::chrono::seconds(seconds);
    return wish;
}

net::Route snapshot_row() {
    net::Route row = api::row(
        kNoun,
        {Method::kGet,
         "/api/gateway/snapshot",
         "gateway_snapshot",
         "Read what to serve and who may ask, signed, as soon as it changes"}
    );
    row.parameters = {
        {.name = "region", .description = "Pool of the gateway", .required = true},
        {.name = "serial",
         .description = "Of the snapshot that the gateway has; 0: none",
         .schema = R"({"type":"integer"})"},
        {.name = "wait_seconds",
         .description = "How long to wait for another one, 0 to 60",
         .schema = R"({"type":"integer"})"},
    };
    row.time_max = kLongPoll;
    row.cancel_when_client_goes = true;
    return row;
}

}  // namespace

std::vector<net::Route> GatewayEndpoints::routes() {
    net::Route report_row =
        row(kNoun,
            {Method::kPost,
             "/api/gateway/report",
             "gateway_report",
             "Say how deployments stand on a gateway"});
    report_row.body_bytes_max = kReportBytesMax;
    net::Route usage_row =
        row(kNoun,
            {Method::kPost,
             "/api/gateway/usage",
             "gateway_usage",
             "Say what answers used; a line that is sent again counts once"});
    usage_row.body_bytes_max = kUsageBytesMax;
    net::Route blob_row =
        row(kNoun,
            {Method::kGet, "/api/blobs/{digest}", "blobs_get", "Fetch a model's file by its hash"});
    blob_row.response = {.name = "Blob", .schema = {}, .content_type = "application/octet-stream"};
    blob_row.handler = bound(*this, &GatewayEndpoints::get_blob);
    return {
        net::typed(snapshot_row(), *this, &GatewayEndpoints::snapshot),
        net::typed(report_row, *this, &GatewayEndpoints::report),
        net::typed(usage_row, *this, &GatewayEndpoints::usage),
        net::typed(
            row(kNoun,
                {Method::kGet,
                 "/api/gateway/key",
                 "gateway_key",
                 "Read the key that snapshots are signed with"}),
            *this,
            &GatewayEndpoints::key
        ),
        std::move(blob_row),
    };
}

net::Task<protocol::Envelope> GatewayEndpoints::snapshot(net::Call call) {
    CO_TRY(auto wish, wish_of(call));
    co_return co_await with_.feed.snapshot(std::move(wish));
}

net::Task<protocol::GatewayReportReply> GatewayEndpoints::report(
    net::Call, protocol::GatewayReport report
) {
    co_return co_await with_.feed.report(std::move(report));
}

net::Task<protocol::GatewayUsageReply> GatewayEndpoints::usage(
    net::Call, protocol::GatewayUsage usage
) {
    co_return co_await with_.feed.record_usage(std::move(usage));
}

net::Task<protocol::CoordinatorKeyView> GatewayEndpoints::key(net::Call) {
    co_return protocol::CoordinatorKeyView{.public_key = with_.feed.public_key()};
}

net::Task<net::Response> GatewayEndpoints::get_blob(net::Request request) {
    co_return co_await send_blob(with_.artifacts, with_.pool, std::move(request));
}

}  // namespace nexa::api
