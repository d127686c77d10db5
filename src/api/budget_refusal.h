// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "net/http_types.h"

namespace nexa::api {

/// The answer to a submission that failed. A budget that is spent is 402, with Retry-After for the
/// beginning of the next month: no client should try again by itself.
net::Response refusal_of(const Error& error, Timestamp now);

}  // namespace nexa::api
