// SPDX-License-Identifier: Apache-2.0
#include "api/topic_feed.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "api/feeds.h"
#include "core/json.h"
#include "core/near_name.h"
#include "protocol/job_status.h"
#include "protocol/job_views.h"

namespace nexa::api {

namespace {

constexpr std::string_view kJobTopic = "job:";
constexpr int kEventsPerRead = 200;
constexpr int kJobsShown = 100;
constexpr std::chrono::seconds kLookAgain{1};
constexpr int kStatesEvery = 2;  // looks

Error unknown_topic(std::string_view word) {
    constexpr std::array<std::string_view, 2> kNames{"jobs", "workers"};
    const auto near = nearest(word, kNames);
    return Error::invalid_argument("'{}' is no topic", word)
        .at("topics")
        .hint(
            near ? fmt::format("did you mean {}?", *near)
                 : "jobs, workers, or job: with a job's id behind it"
        );
}

class TopicFeed {
public:
    TopicFeed(
        TopicFeedCollaborators with,
        net::SseStream& stream,
        Topics topics,
        TopicPlaces places,
        accounts::Principal principal
    )
        : with_(with),
          stream_(stream),
          topics_(std::move(topics)),
          places_(std::move(places)),
          principal_(std::move(principal)) {}

    net::Task<void> run() {
        for (int look = 0; !stream_.closed(); ++look) {
            for (const JobId& job_id : topics_.jobs) {
                CO_TRY_STATUS(co_await send_job(job_id));
            }
            if (topics_.all_jobs && look % kStatesEvery == 0) {
                CO_TRY_STATUS(co_await send_jobs());
            }
            if (topics_.all_workers && look % kStatesEvery == 0) {
                CO_TRY_STATUS(co_await send_workers());
            }
            CO_TRY_STATUS(co_await net::sleep_for(kLookAgain));
        }
        co_return ok();
    }

private:
    net::Task<void> send_job(JobId job_id) {
        std::int64_t& place = places_[job_id.text()];
        for (bool has_more = true; has_more;) {
            CO_TRY(const auto events, co_await with_.jobs.events(job_id, place, kEventsPerRead));
            for (const orchestration::JobEvent& event : events) {
                place = event.sequence;
                const protocol::JobEventView view{
                    .job_id = job_id.text(),
                    .sequence = event.sequence,
                    .at = to_rfc3339(event.at),
                    .type = event.type,
                    .data = event.data,
                };
                CO_TRY_STATUS(
                    co_await send(fmt::format("{}{}", kJobTopic, job_id.text()), to_json(view))
                );
            }
            has_more = events.size() == static_cast<std::size_t>(kEventsPerRead);
        }
        co_return ok();
    }

    net::Task<void> send_jobs() {
        orchestration::JobFilter filter{.tenant_id = principal_.project_id, .limit = kJobsShown};
        CO_TRY(orchestration::JobPage page, co_await with_.jobs.list(std::move(filter)));
        std::map<std::string, std::string> now;
        // Oldest first: as they would have come one by one.
        for (const protocol::JobView& view : page.jobs | std::views::reverse) {
            std::string text = to_json(view);
            if (jobs_[view.job_id] != text) {
                CO_TRY_STATUS(co_await send("jobs", text));
            }
            now.emplace(view.job_id, std::move(text));
        }
        jobs_ = std::move(now);
        co_return ok();
    }

    net::Task<void> send_workers() {
        CO_TRY(std::vector<protocol::WorkerView> list, co_await with_.workers.list(principal_));
        std::map<std::string, std::string> now;
        for (protocol::WorkerView& view : list) {
            const std::string shown = to_json(view);
            view.last_seen_at.clear();  // moves without a change
            std::string state = to_json(view);
            if (workers_[view.worker_id] != state) {
                CO_TRY_STATUS(co_await send("workers", shown));
            }
            now.emplace(view.worker_id, std::move(state));
        }
        workers_ = std::move(now);
        co_return ok();
    }

    net::Task<void> send(std::string topic, std::string data) {
        co_return co_await stream_.send(
            {.id = to_text(places_), .event = std::move(topic), .data = std::move(data)}
        );
    }

    TopicFeedCollaborators with_;
    net::SseStream& stream_;
    const Topics topics_;
    TopicPlaces places_;
    const accounts::Principal principal_;
    std::map<std::string, std::string> jobs_;     ///< as sent last
    std::map<std::string, std::string> workers_;  ///< the same
};

}  // namespace

Result<Topics> parse_topics(std::string_view text) {
    if (text.empty()) {
        return unknown_topic(text);
    }
    Topics topics;
    std::size_t count = 0;
    for (const auto part : std::views::split(text, ',')) {
        const std::string_view word(part.begin(), part.end());
        if (word == "jobs") {
            topics.all_jobs = true;
        } else if (word == "workers") {
            topics.all_workers = true;
        } else if (word.starts_with(kJobTopic)) {
            auto job_id = JobId::parse(word.substr(kJobTopic.size()));
            if (!job_id) {
                return Error::not_found("there is no job {}", word.substr(kJobTopic.size()))
                    .at("topics");
            }
            topics.jobs.push_back(*std::move(job_id));
        } else {
            return unknown_topic(word);
        }
        if (++count > kTopicsMax) {
            return Error::invalid_argument("has to be at most {} topics", kTopicsMax).at("topics");
        }
    }
    return topics;
}

std::string to_text(const TopicPlaces& places) {
    std::string text;
    for (const auto& [job_id, place] : places) {
        fmt::format_to(std::back_inserter(text), "{}{}:{}", text.empty() ? "" : ",", job_id, place);
    }
    return text;
}

Result<TopicPlaces> parse_topic_places(std::string_view text) {
    TopicPlaces places;
    if (text.empty()) {
        return places;
    }
    for (const auto part : std::views::split(text, ',')) {
        const std::string_view word(part.begin(), part.end());
        const std::size_t colon = word.find(':');
        const auto place =
            colon == std::string_view::npos ? std::nullopt : place_in(word.substr(colon + 1));
        if (!place || places.size() >= kTopicsMax) {
            return Error::invalid_argument("'{}' is no id of this stream", text)
                .at("Last-Event-ID")
                .hint("send the id of the last event, as 'job_0199…:17'");
        }
        places[std::string(word.substr(0, colon))] = *place;
    }
    return places;
}

net::Task<void> feed_topics(
    TopicFeedCollaborators with,
    std::shared_ptr<net::SseStream> stream,
    Topics topics,
    TopicPlaces places,
    accounts::Principal principal
) {
    TopicFeed feed(with, *stream, std::move(topics), std::move(places), std::move(principal));
    const Status sent = co_await feed.run();
    end_stream(*stream, sent);
    co_return ok();
}

}  // namespace nexa::api
