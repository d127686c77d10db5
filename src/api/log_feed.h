// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "accounts/key_store.h"
#include "core/ids.h"
#include "net/pools.h"
#include "net/sse.h"
#include "net/task.h"
#include "orchestration/job_logs.h"
#include "orchestration/job_service.h"

namespace nexa::api {

/// A place in a job's log: the byte at `offset` of the text that `attempt` wrote.
struct LogPlace {
    int attempt = 1;
    std::int64_t offset = 0;
};

/// "2:4711" is byte 4711 of the second attempt's log. Errors: kInvalidArgument.
Result<LogPlace> parse_log_place(std::string_view text);

struct LogFeedCollaborators {
    orchestration::JobService& jobs;
    const orchestration::JobLogs& logs;
    net::WorkPool& pool;
};

/// Sends a job's log from `place` on, an event a line as it is written, until the job has ended and
/// all of it is sent: `line` events, whose id is the place behind the line; an `attempt` event
/// where another attempt's text begins; and `end` with the job's status. Collaborators outlive it.
net::Task<void> feed_log(
    LogFeedCollaborators with,
    std::shared_ptr<net::SseStream> stream,
    JobId job_id,
    accounts::Principal principal,
    LogPlace place
);

}  // namespace nexa::api
