// SPDX-License-Identifier: Apache-2.0
#include "gateway/system_endpoints.h"

#include "core/json.h"

namespace nexa::gateway {

namespace {

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
    return {
        net::typed(
            open_row("/livez", "system_live", "Is the process there"), *this, &SystemEndpoints::live
        ),
        net::typed(open_row("/health", "system_health", "The same"), *this, &SystemEndpoints::live),
        net::typed(
            open_row("/readyz", "system_ready", "Does every model serve"),
            *this,
            &SystemEndpoints::ready
        ),
        net::typed(
            open_row("/version", "system_version", "Which program this is"),
            *this,
            &SystemEndpoints::version
        ),
    };
}

net::Task<protocol::HealthView> SystemEndpoints::live(net::Call) {
    co_return protocol::HealthView{.status = "ok"};
}

net::Task<net::Response> SystemEndpoints::ready(net::Call) {
    const ModelTable::Counts counts = with_.models.counts();
    const bool knows = with_.knows_models();
    const bool is_ready = knows && counts.loading == 0 && counts.down == 0;
    const protocol::HealthView health{
        .status = is_ready ? "ok" : "not ready",
        .checks =
            {
                {"feed", knows ? "ok" : "nothing is known yet of what is to be served"},
                {"models",
                 fmt::format(
                     "{} ready, {} loading, {} failed", counts.ready, counts.loading, counts.failed
                 )},
            },
    };
    net::Response response = net::Response::json(to_json(health), is_ready ? 200 : 503);
    if (!is_ready) {
        response.headers.add("retry-after", "1");
    }
    co_return response;
}

net::Task<protocol::VersionView> SystemEndpoints::version(net::Call) {
    co_return with_.version;
}

}  // namespace nexa::gateway
