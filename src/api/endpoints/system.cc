// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/system.h"

#include "api/rows.h"
#include "core/json.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr db::Sql kProbe{.name = "probe", .sqlite = "SELECT 1", .postgres = "SELECT 1"};

net::Route open_row(std::string path, std::string id, std::string summary) {
    return {
        .path = std::move(path),
        .operation_id = std::move(id),
        .summary = std::move(summary),
        .tag = "system",
        .auth = net::Auth::kPublic,
    };
}

}  // namespace

std::vector<net::Route> SystemEndpoints::routes() {
    const net::Route live_row = open_row("/livez", "system_live", "Is the process there");
    net::Route ready_row = open_row("/readyz", "system_ready", "Can it serve: database, storage");
    ready_row.response = net::body_type<protocol::HealthView>();
    ready_row.handler = bound(*this, &SystemEndpoints::ready);
    net::Route openapi_row = open_row("/openapi.json", "system_openapi", "This document");
    openapi_row.response = {.name = "OpenApi", .schema = {}};
    openapi_row.handler = bound(*this, &SystemEndpoints::openapi);
    return {
        net::typed(live_row, *this, &SystemEndpoints::live),
        net::typed(alias(live_row, "/health"), *this, &SystemEndpoints::live),
        std::move(ready_row),
        net::typed(
            open_row("/version", "system_version", "Which program this is"),
            *this,
            &SystemEndpoints::version
        ),
        std::move(openapi_row),
    };
}

net::Task<protocol::HealthView> SystemEndpoints::live(net::Call) {
    co_return protocol::HealthView{.status = "ok"};
}

net::Task<net::Response> SystemEndpoints::ready(net::Request) {
    // A write is the whole path: the writer, the lock, the disk.
    const Status written = co_await with_.backend.write([](db::Tx& tx) -> Status {
        TRY_STATUS(tx.query_one(kProbe));
        return {};
    });
    const protocol::HealthView health{
        .status = written ? "ok" : "not ready",
        .checks = {{"database", written ? "ok" : written.error().to_string()}},
    };
    co_return net::Response::json(to_json(health), written ? 200 : 503);
}

net::Task<protocol::VersionView> SystemEndpoints::version(net::Call) {
    co_return with_.version;
}

net::Task<net::Response> SystemEndpoints::openapi(net::Request) {
    co_return net::Response::json(openapi_);
}

}  // namespace nexa::api
