// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "accounts/key_store.h"
#include "core/ids.h"
#include "net/sse.h"
#include "net/task.h"
#include "orchestration/job_service.h"

namespace nexa::api {

/// The number of a job's event, as a stream's ids are; 0 for an empty text. Errors:
/// kInvalidArgument.
Result<std::int64_t> parse_event_number(std::string_view text);

/// Sends a job's events behind number `after`, an event each under its own type, until the job has
/// ended and all are sent; then `end` with the job's status, and finishes the stream. `jobs`
/// outlives it.
net::Task<void> feed_events(
    orchestration::JobService& jobs,
    std::shared_ptr<net::SseStream> stream,
    JobId job_id,
    accounts::Principal principal,
    std::int64_t after
);

}  // namespace nexa::api
