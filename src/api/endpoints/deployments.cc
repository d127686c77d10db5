// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/deployments.h"

#include "api/authenticator.h"
#include "api/query.h"
#include "api/rows.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{
    .tag = "deployments", .read_scope = "deployments:read", .write_scope = "deployments:write"
};

Result<orchestration::DeploymentFilter> filter_of(const net::Call& call) {
    const net::Query& query = call.head->query;
    orchestration::DeploymentFilter filter{
        .tenant_id = principal_of(call.principal).project_id,
        .name = text_parameter(query, "name"),
        .region = text_parameter(query, "region"),
    };
    TRY(filter.limit, limit_parameter(query));
    if (const auto live = text_parameter(query, "live")) {
        if (*live != "true" && *live != "false") {
            return Error::invalid_argument("must be true or false").at("live");
        }
        filter.live = *live == "true";
    }
    TRY(const auto after, integer_parameter(query, "after", {.least = 0, .greatest = INT64_MAX}));
    if (after > 0) {
        filter.after = after;
    }
    return filter;
}

}  // namespace

std::vector<net::Route> DeploymentEndpoints::routes() {
    net::Route list_row =
        row(kNoun, {Method::kGet, "/api/deployments", "deployments_list", "List your deployments"});
    list_row.parameters = {
        {.name = "live",
         .description = "true: only what gateways are told to serve; false: only the others",
         .schema = R"({"type":"boolean"})"},
        {.name = "name", .description = "Only with this model name"},
        {.name = "region", .description = "Only in this region"},
        {.name = "limit",
         .description = "Deployments per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    };
    return {
        net::typed(list_row, *this, &DeploymentEndpoints::list),
        net::typed(
            row(kNoun,
                {Method::kGet,
                 "/api/deployments/{deployment_id}",
                 "deployments_get",
                 "Read one deployment"}),
            *this,
            &DeploymentEndpoints::get
        ),
        net::typed(
            row(kNoun,
                {Method::kDelete,
                 "/api/deployments/{deployment_id}",
                 "deployments_stop",
                 "Stop serving a deployment; it stays listed as stopped"}),
            *this,
            &DeploymentEndpoints::stop
        ),
    };
}

net::Task<protocol::DeploymentList> DeploymentEndpoints::list(net::Call call) {
    CO_TRY(auto filter, filter_of(call));
    CO_TRY(auto page, co_await deployments_.list(std::move(filter)));
    co_return protocol::DeploymentList{
        .data = std::move(page.deployments),
        .has_more = page.next_cursor.has_value(),
        .next_cursor = page.next_cursor,
    };
}

net::Task<protocol::DeploymentView> DeploymentEndpoints::get(net::Call call) {
    co_return co_await deployments_.get(
        call.parameter("deployment_id"), principal_of(call.principal)
    );
}

net::Task<protocol::DeploymentView> DeploymentEndpoints::stop(net::Call call) {
    co_return co_await deployments_.stop(
        call.parameter("deployment_id"), principal_of(call.principal)
    );
}

}  // namespace nexa::api
