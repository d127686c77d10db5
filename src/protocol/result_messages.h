// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "protocol/artifact_files.h"
#include "protocol/engine.h"
#include "protocol/envelope.h"

namespace nexa::protocol {

// How a worker hands in what came of a job.

inline constexpr std::string_view kJobResultPayloadType = "application/vnd.nexa.job-result+json";

/// Payload of the job-result envelope, signed by the worker.
struct JobResult {
    static constexpr std::string_view kName = "JobResult";
    std::string job_id;
    std::string worker_id;
    std::int64_t fence = 0;
    std::string outcome;  ///< completed, failed, cancelled, returned
    std::optional<JsonText> result;
    std::optional<EngineError> error;
    std::vector<ResultArtifact> artifacts;
    Usage usage;
    std::string started_at;
    std::string finished_at;

    bool operator==(const JobResult&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobResult::job_id, "The job").required(),
            field("worker_id", &JobResult::worker_id, "Who ran it").required(),
            field("fence", &JobResult::fence, "Of the lease").required(),
            field("outcome", &JobResult::outcome, "How the attempt ended")
                .required()
                .one_of({"completed", "failed", "cancelled", "returned"}),
            field("result", &JobResult::result, "The job type's result"),
            field("error", &JobResult::error, "Why it failed"),
            field("artifacts", &JobResult::artifacts, "What it made"),
            field("usage", &JobResult::usage, "What it used"),
            field("started_at", &JobResult::started_at, "RFC 3339"),
            field("finished_at", &JobResult::finished_at, "RFC 3339"),
        };
    }
};

/// Results in one request: as many as one poll gives jobs.
inline constexpr std::size_t kResultsMax = 256;

struct CompleteRequest {
    static constexpr std::string_view kName = "CompleteRequest";
    std::vector<Envelope> results;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "results", &CompleteRequest::results, "Signed JobResults, each answered by itself"
            )
                .required()
                .length(0, kResultsMax)
        };
    }
};

struct CompleteOutcome {
    static constexpr std::string_view kName = "CompleteOutcome";
    std::string job_id;
    int status = 200;
    std::string code;
    std::string detail;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &CompleteOutcome::job_id, "The job, if the envelope could be read"),
            field(
                "status",
                &CompleteOutcome::status,
                "As an HTTP status: 200 accepted, 409 the lease was lost"
            )
                .required(),
            field("code", &CompleteOutcome::code, "Error code; empty when accepted"),
            field("detail", &CompleteOutcome::detail, "For people"),
        };
    }
};

struct CompleteReply {
    static constexpr std::string_view kName = "CompleteReply";
    std::vector<CompleteOutcome> results;

    static constexpr auto fields() {
        return std::tuple{field("results", &CompleteReply::results, "In the order sent").required()
        };
    }
};

}  // namespace nexa::protocol
