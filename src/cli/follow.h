// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/session.h"
#include "protocol/job_views.h"

namespace nexa::cli {

/// A job as the server showed it last, and the text it came as.
struct SeenJob {
    protocol::JobView view;
    std::string body;
};

/// The job as it is now.
Result<SeenJob> look_at_job(Session& session, const std::string& job_id);

/// Shows the job's events on stderr until it has ended; a stream that breaks is taken up again
/// where it was. Blocks.
Result<SeenJob> follow_job(Session& session, const std::string& job_id);

/// Asks again and again until the job has ended. Blocks. Errors: kDeadlineExceeded after
/// `time_max`; the job goes on.
Result<SeenJob> wait_for_job(
    Session& session, const std::string& job_id, std::optional<std::chrono::seconds> time_max
);

/// Why a job has not completed, as the error that it stands for.
Error job_error(const protocol::JobView& view);

/// How a job that has ended ends the command: 0 if it completed, 3 if it was cancelled, else the
/// job's own error. Prints the result; under --json the whole job and no error object, since the
/// job is the answer.
Result<int> end_with(Session& session, const SeenJob& job);

/// What a command does once its job is accepted.
struct AfterSubmission {
    bool wait = false;    ///< return when it has ended, with its exit code
    bool follow = false;  ///< the same, and show its events
};

/// Prints the job's id, or waits for its end. `reply` is the server's JobSubmitted.
Result<int> go_on_with(Session& session, const std::string& reply, const AfterSubmission& after);

/// A path of the API below this job: "/jobs/job_…/cancel". Escapes the id.
std::string job_path(const std::string& job_id, std::string_view below = "");

}  // namespace nexa::cli
