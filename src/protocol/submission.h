// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"
#include "core/json_text.h"
#include "core/result.h"

namespace nexa::protocol {

/// What a submission may say about the queue beside its payload, in the wrapped form.
struct SubmissionOptions {
    static constexpr std::string_view kName = "SubmissionOptions";
    std::optional<JsonText> payload;
    std::optional<std::string> name;
    std::string pool = "default";
    int priority = 0;
    int max_attempts = 3;
    int gpus = 0;
    std::int64_t memory_bytes = 0;
    std::optional<bool> dry_run;

    static constexpr auto fields() {
        return std::tuple{
            field("payload", &SubmissionOptions::payload, "The job type's spec"),
            field("name", &SubmissionOptions::name, "For people").length(1, 255),
            field("pool", &SubmissionOptions::pool, "Workers of which pool may take it")
                .length(1, 64),
            field(
                "priority",
                &SubmissionOptions::priority,
                "Lower runs first; a step is worth ten minutes of waiting"
            )
                .within(-100, 100),
            field(
                "max_attempts",
                &SubmissionOptions::max_attempts,
                "Attempts that may end in an error"
            )
                .within(1, 20),
            field("gpus", &SubmissionOptions::gpus, "Accelerators it needs").within(0, 1024),
            field("memory_bytes", &SubmissionOptions::memory_bytes, "Memory it needs")
                .unit("bytes")
                .within(0, 1LL << 50),
            field(
                "dry_run",
                &SubmissionOptions::dry_run,
                "True: only say what the job would be and take, as its estimate does"
            ),
        };
    }
};

struct Submission {
    bool wrapped = false;
    JsonText payload;
    SubmissionOptions options;  ///< without the payload
};

/// Reads both forms: the spec's fields plain, and {"payload": {…}, "priority": …}.
/// Errors: kMalformed, kInvalidArgument with the field.
Result<Submission> read_submission(std::string_view body);

}  // namespace nexa::protocol
