// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/error_code.h"

namespace nexa {

/// An expected failure, as a value: what went wrong, with which id, where in the input, and what to
/// do.
///
///     return Error::conflict("lease lost: job {} no longer has fence {}", job_id, fence);
///     return Error::invalid_argument("must be at least 1, is {}", epochs).at("epochs").hint("give
///     1 or more");
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;  ///< one sentence, lower case, no full stop; never holds a secret
    std::string param;   ///< where: field path ("payload.epochs"), or "file:line"; empty if nowhere
                         ///< in particular
    std::string advice;  ///< what to do; may be empty

    Error(ErrorCode error_code, std::string text) : code(error_code), message(std::move(text)) {}

#define NEXA_ERROR_FACTORY(name, enumerator)                                              \
    template <class... Args>                                                              \
    static Error name(fmt::format_string<Args...> format, Args&&... args) {               \
        return {ErrorCode::enumerator, fmt::format(format, std::forward<Args>(args)...)}; \
    }
    NEXA_ERROR_FACTORY(malformed, kMalformed)
    NEXA_ERROR_FACTORY(invalid_argument, kInvalidArgument)
    NEXA_ERROR_FACTORY(unauthenticated, kUnauthenticated)
    NEXA_ERROR_FACTORY(permission_denied, kPermissionDenied)
    NEXA_ERROR_FACTORY(not_found, kNotFound)
    NEXA_ERROR_FACTORY(conflict, kConflict)
    NEXA_ERROR_FACTORY(resource_exhausted, kResourceExhausted)
    NEXA_ERROR_FACTORY(unavailable, kUnavailable)
    NEXA_ERROR_FACTORY(deadline_exceeded, kDeadlineExceeded)
    NEXA_ERROR_FACTORY(cancelled, kCancelled)
    NEXA_ERROR_FACTORY(data_loss, kDataLoss)
    NEXA_ERROR_FACTORY(internal, kInternal)
#undef NEXA_ERROR_FACTORY

    /// Names the place in the input. An outer caller prepends: at("epochs") then at("payload")
    /// gives "payload.epochs".
    Error at(std::string_view place) &&;
    Error hint(std::string_view what_to_do) &&;
    /// Adds what was being done, in front: "load config: cannot open nexa.yaml". The code stays.
    Error while_doing(std::string_view what) &&;

    /// "epochs: must be at least 1, is 0 (give 1 or more)".
    std::string to_string() const;
};

}  // namespace nexa
