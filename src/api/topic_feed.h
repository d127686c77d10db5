// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/key_store.h"
#include "core/ids.h"
#include "net/sse.h"
#include "net/task.h"
#include "orchestration/job_service.h"
#include "orchestration/worker_service.h"

namespace nexa::api {

/// What one stream is about.
struct Topics {
    std::vector<JobId> jobs;   ///< the events of these
    bool all_jobs = false;     ///< the states of the project's newest jobs
    bool all_workers = false;  ///< the states of its workers
};
inline constexpr std::size_t kTopicsMax = 32;

/// "jobs,workers,job:job_0199…". Errors: kInvalidArgument with the near name, for none or too many.
Result<Topics> parse_topics(std::string_view text);

/// How far the events of each job were sent: "job_a:7,job_b:12", the id of the stream's events.
using TopicPlaces = std::map<std::string, std::int64_t>;
std::string to_text(const TopicPlaces& places);
/// Errors: kInvalidArgument.
Result<TopicPlaces> parse_topic_places(std::string_view text);

struct TopicFeedCollaborators {
    orchestration::JobService& jobs;
    orchestration::WorkerService& workers;
};

/// Sends what happens under the topics until the client goes; each event is named after its topic.
/// A job's events come all, from `places` on, and never twice. The states of jobs (the newest 100)
/// and workers come as they are now, then each as soon as it is another (within two seconds): who
/// comes again needs no place to know them. Collaborators outlive it.
net::Task<void> feed_topics(
    TopicFeedCollaborators with,
    std::shared_ptr<net::SseStream> stream,
    Topics topics,
    TopicPlaces places,
    accounts::Principal principal
);

}  // namespace nexa::api
