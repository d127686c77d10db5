// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "net/http_types.h"

namespace nexa::net {

/// What HttpServerHooks::authenticate returns to refuse with more than an Error: Retry-After and
/// headers of its own. The server answers `refusal` and reads no byte of the body. `id` is for the
/// log: who it was, if that is known.
inline Principal refused_caller(HttpError refusal, std::string id = {}) {
    return {.id = std::move(id), .tenant_id = {}, .details = std::move(refusal)};
}

/// The refusal in it, or nullptr.
inline const HttpError* refusal_in(const Principal& principal) {
    return std::any_cast<HttpError>(&principal.details);
}

}  // namespace nexa::net
