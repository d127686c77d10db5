// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "net/http_types.h"
#include "net/url.h"

namespace nexa::api {

/// The text of a query parameter; an empty one counts as absent.
std::optional<std::string> text_parameter(const net::Query& query, std::string_view name);

/// A whole number within the limits, or `fallback` if absent. Errors: kInvalidArgument with the
/// name.
struct IntegerRange {
    std::int64_t least = 0;
    std::int64_t greatest = 0;
    std::int64_t fallback = 0;
};
Result<std::int64_t> integer_parameter(
    const net::Query& query, std::string_view name, const IntegerRange& range
);

/// The request's Idempotency-Key, if it has one. Errors: kInvalidArgument (its length).
Result<std::optional<std::string>> idempotency_key_of(const net::RequestHead& head);

/// `limit` of a list: 1 to 100, 20 if absent.
Result<int> limit_parameter(const net::Query& query);

}  // namespace nexa::api
