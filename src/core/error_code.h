// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nexa {

/// The closed list of ways an operation can fail. One table below says what each means to an HTTP
/// client, to the job it happened in and to a shell.
enum class ErrorCode : std::uint8_t {
    kMalformed,         ///< cannot be parsed
    kInvalidArgument,   ///< parsed, but a field is wrong
    kUnauthenticated,   ///< no credentials, or bad ones
    kPermissionDenied,  ///< good credentials, wrong scope or owner
    kNotFound,
    kConflict,  ///< the state it asks for is no longer there: lost lease, dirty tree, stale ref
    kResourceExhausted,  ///< quota, rate limit, queue full
    kUnavailable,        ///< a dependency is down or the disk is full; the same call may work later
    kDeadlineExceeded,
    kCancelled,
    kDataLoss,  ///< bytes are not what their hash or signature says
    kInternal,  ///< our bug, or a library's
};

/// What becomes of the job in which the error happened.
enum class JobConsequence : std::uint8_t {
    kFails,
    kFailsAndAlerts,
    kRetries,
    kRetriesLater,
    kCancelled
};

struct ErrorCodeRow {
    ErrorCode code;
    std::string_view name;  ///< as in JSON, logs and the ledger
    int http_status;  ///< before the route's dialect (403 for unauthenticated on /api) and 507 for
                      ///< a full disk
    JobConsequence consequence;
    int exit_code;  ///< of the command line
};

inline constexpr std::array<ErrorCodeRow, 12> kErrorCodes{{
    {ErrorCode::kMalformed, "malformed", 400, JobConsequence::kFails, 2},
    {ErrorCode::kInvalidArgument, "invalid_argument", 422, JobConsequence::kFails, 2},
    {ErrorCode::kUnauthenticated, "unauthenticated", 401, JobConsequence::kFails, 4},
    {ErrorCode::kPermissionDenied, "permission_denied", 403, JobConsequence::kFails, 4},
    {ErrorCode::kNotFound, "not_found", 404, JobConsequence::kFails, 5},
    {ErrorCode::kConflict, "conflict", 409, JobConsequence::kFails, 6},
    {ErrorCode::kResourceExhausted, "resource_exhausted", 429, JobConsequence::kRetriesLater, 9},
    {ErrorCode::kUnavailable, "unavailable", 503, JobConsequence::kRetries, 10},
    {ErrorCode::kDeadlineExceeded, "deadline_exceeded", 504, JobConsequence::kRetries, 8},
    {ErrorCode::kCancelled, "cancelled", 499, JobConsequence::kCancelled, 3},
    {ErrorCode::kDataLoss, "data_loss", 500, JobConsequence::kFailsAndAlerts, 7},
    {ErrorCode::kInternal, "internal", 500, JobConsequence::kFailsAndAlerts, 1},
}};

constexpr const ErrorCodeRow& row_of(ErrorCode code) {
    return kErrorCodes[static_cast<std::size_t>(code)];
}

constexpr std::string_view to_string(ErrorCode code) {
    return row_of(code).name;
}

/// The code with this name, as it stands in JSON.
constexpr std::optional<ErrorCode> error_code_from(std::string_view name) {
    for (const ErrorCodeRow& row : kErrorCodes) {
        if (row.name == name) {
            return row.code;
        }
    }
    return std::nullopt;
}

/// True if the same call may succeed later without any change to it.
constexpr bool is_retryable(ErrorCode code) {
    const JobConsequence consequence = row_of(code).consequence;
    return consequence == JobConsequence::kRetries || consequence == JobConsequence::kRetriesLater;
}

}  // namespace nexa
