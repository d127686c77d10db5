// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/router.h"

namespace nexa::net {

/// The status of an error with this code in this dialect: the table of core/error_code.h, but
/// unauthenticated is 403 on /api.
int http_status(ErrorCode code, Dialect dialect);

/// Writes a refusal in a dialect; a full disk (core/os_error.h) is 507. Adds Retry-After to 429 and
/// 503 (one second unless the error says more), x-should-retry, and WWW-Authenticate to 401. A text
/// that is not UTF-8 is repaired.
Response render(const HttpError& error, Dialect dialect, const RequestHead& head);

}  // namespace nexa::net
