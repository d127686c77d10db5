// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/events.h"

#include "accounts/scopes.h"
#include "api/authenticator.h"
#include "api/query.h"
#include "api/rows.h"
#include "api/topic_feed.h"

namespace nexa::api {

namespace {

constexpr Noun kNoun{.tag = "events", .read_scope = "jobs:read", .write_scope = "jobs:write"};
constexpr std::string_view kWorkersScope = "workers:read";

}  // namespace

std::vector<net::Route> EventEndpoints::routes() {
    return event_stream_rows(
        row(kNoun,
            {net::Method::kGet,
             "/api/events/stream",
             "events_stream",
             "Follow jobs and workers over one connection"}),
        {.name = "TopicEvents", .schema = {}},
        bound(*this, &EventEndpoints::stream),
        {{.name = "topics",
          .description = "Comma-separated: jobs, workers (needs workers:read), job:JOB_ID",
          .required = true}}
    );
}

net::Task<net::Response> EventEndpoints::stream(net::Request request) {
    const accounts::Principal& principal = principal_of(request.principal);
    const std::string wanted = text_parameter(request.head->query, "topics").value_or("");
    CO_TRY(Topics topics, parse_topics(wanted));
    CO_TRY(TopicPlaces places, parse_topic_places(last_event_id(*request.head)));
    std::vector<std::string> scopes{std::string(kNoun.read_scope)};
    if (topics.all_workers) {
        if (!accounts::allows(principal.scopes, kWorkersScope)) {
            co_return Error::permission_denied("this key lacks the scope '{}'", kWorkersScope)
                .at("topics");
        }
        scopes.emplace_back(kWorkersScope);
    }
    std::erase_if(places, [&](const auto& place) {
        return std::ranges::find(topics.jobs, place.first, &JobId::text) == topics.jobs.end();
    });
    for (const JobId& job_id : topics.jobs) {
        CO_TRY_STATUS(co_await with_.jobs.get(job_id, principal));
    }
    auto stream = std::make_shared<net::SseStream>();
    auto run = feed_topics(
        {with_.jobs, with_.workers}, stream, std::move(topics), std::move(places), principal
    );
    co_return with_.streams.answer(
        request,
        {.name = "topics",
         .scopes = std::move(scopes),
         .stream = std::move(stream),
         .run = std::move(run),
         .data_is_json = true}
    );
}

}  // namespace nexa::api
