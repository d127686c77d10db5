// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/schedules.h"

#include "api/authenticator.h"
#include "api/budget_refusal.h"
#include "api/query.h"
#include "api/rows.h"
#include "api/workflow_body.h"
#include "core/json.h"

namespace nexa::api {

namespace {

using net::Method;
using orchestration::ScheduleId;

constexpr Noun kNoun{.tag = "schedules", .read_scope = "jobs:read", .write_scope = "jobs:write"};

Result<ScheduleId> schedule_id_in(const std::string& text) {
    auto schedule_id = ScheduleId::parse(text);
    if (!schedule_id) {
        return Error::not_found("there is no schedule {}", text).at("schedule_id");
    }
    return schedule_id;
}

}  // namespace

std::vector<net::Route> ScheduleEndpoints::routes() {
    const std::string one = "/api/schedules/{schedule_id}";
    net::Route create_row =
        row(kNoun,
            {Method::kPost, "/api/schedules", "schedules_create", "Start a workflow at set times"});
    create_row.body_bytes_max = kWorkflowBytesMax;
    create_row.success_status = 201;
    net::Route list_row =
        row(kNoun,
            {Method::kGet, "/api/schedules", "schedules_list", "List your schedules, newest first"}
        );
    list_row.parameters = {
        {.name = "limit",
         .description = "Schedules per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    };
    net::Route change_row =
        row(kNoun, {Method::kPatch, one, "schedules_change", "Change, pause or resume a schedule"});
    change_row.body_bytes_max = kWorkflowBytesMax;
    net::Route remove_row =
        row(kNoun,
            {Method::kDelete, one, "schedules_delete", "End a schedule; what it started goes on"});
    remove_row.success_status = 204;
    remove_row.handler = bound(*this, &ScheduleEndpoints::remove);
    net::Route run_row = row(
        kNoun,
        {Method::kPost, one + "/run", "schedules_run", "Start its workflow now, beside its times"}
    );
    run_row.body_bytes_max = kIgnoredBodyMax;
    run_row.response = net::body_type<protocol::ScheduleView>();
    run_row.handler = bound(*this, &ScheduleEndpoints::run);
    return {
        net::typed(create_row, *this, &ScheduleEndpoints::create),
        net::typed(list_row, *this, &ScheduleEndpoints::list),
        net::typed(
            row(kNoun, {Method::kGet, one, "schedules_get", "Read a schedule with its next times"}),
            *this,
            &ScheduleEndpoints::get
        ),
        net::typed(change_row, *this, &ScheduleEndpoints::change),
        std::move(remove_row),
        std::move(run_row),
    };
}

net::Task<protocol::ScheduleView> ScheduleEndpoints::create(
    net::Call call, protocol::ScheduleSpec spec
) {
    CO_TRY(auto idempotency_key, idempotency_key_of(*call.head));
    co_return co_await schedules_.create(
        std::move(spec), principal_of(call.principal), std::move(idempotency_key)
    );
}

net::Task<protocol::ScheduleList> ScheduleEndpoints::list(net::Call call) {
    const net::Query& query = call.head->query;
    CO_TRY(const int limit, limit_parameter(query));
    CO_TRY(
        orchestration::SchedulePage page,
        co_await schedules_.list(
            text_parameter(query, "after"), limit, principal_of(call.principal)
        )
    );
    protocol::ScheduleList list{.data = std::move(page.schedules), .has_more = page.has_more};
    if (list.has_more) {
        list.next_cursor = list.data.back().schedule_id;
    }
    co_return list;
}

net::Task<protocol::ScheduleView> ScheduleEndpoints::get(net::Call call) {
    CO_TRY(ScheduleId schedule_id, schedule_id_in(call.parameter("schedule_id")));
    co_return co_await schedules_.get(std::move(schedule_id), principal_of(call.principal));
}

net::Task<protocol::ScheduleView> ScheduleEndpoints::change(
    net::Call call, protocol::ScheduleChange change
) {
    CO_TRY(ScheduleId schedule_id, schedule_id_in(call.parameter("schedule_id")));
    co_return co_await schedules_.change(
        std::move(schedule_id), std::move(change), principal_of(call.principal)
    );
}

net::Task<net::Response> ScheduleEndpoints::remove(net::Request request) {
    CO_TRY(ScheduleId schedule_id, schedule_id_in(request.parameter("schedule_id")));
    CO_TRY_STATUS(
        co_await schedules_.remove(std::move(schedule_id), principal_of(request.principal))
    );
    co_return net::Response::empty(204);
}

net::Task<net::Response> ScheduleEndpoints::run(net::Request request) {
    CO_TRY(ScheduleId schedule_id, schedule_id_in(request.parameter("schedule_id")));
    CO_TRY(auto idempotency_key, idempotency_key_of(*request.head));
    const auto started = co_await schedules_.run_now(
        std::move(schedule_id), principal_of(request.principal), std::move(idempotency_key)
    );
    co_return started ? net::Response::json(to_json(*started))
                      : refusal_of(started.error(), clock_.now());
}

}  // namespace nexa::api
